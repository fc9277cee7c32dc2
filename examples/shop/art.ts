/** A picture for each product, drawn small enough to keep in the source. */
export const art: Readonly<Record<string, string>> = {
  tent: `<path d="M60 22 14 92h92z" fill="#e4572e"/><path d="M60 22 44 92h32z" fill="#7a2313"/>
    <path d="M60 46 52 92h16z" fill="#ffd9a0"/><path d="M8 92h104" stroke="#17372f" stroke-width="4"/>`,
  lantern: `<path d="M46 30a14 14 0 0 1 28 0" fill="none" stroke="#17372f" stroke-width="4"/>
    <rect x="42" y="30" width="36" height="8" rx="3" fill="#17372f"/><rect x="46" y="38" width="28" height="44" fill="#ffe9b8"/>
    <path d="M60 48c7 9 7 20 0 24-7-4-7-15 0-24z" fill="#f3a712"/><rect x="40" y="82" width="40" height="10" rx="3" fill="#17372f"/>`,
  mug: `<path d="M32 36h46v44a10 10 0 0 1-10 10H42a10 10 0 0 1-10-10z" fill="#2f6690"/>
    <path d="M78 46h6a13 13 0 0 1 0 26h-6" fill="none" stroke="#2f6690" stroke-width="7"/>
    <path d="M32 36h46" stroke="#f7f3ea" stroke-width="5"/><path d="M44 26c4-5-4-7 0-12M60 26c4-5-4-7 0-12" fill="none"
    stroke="#9db4ab" stroke-width="3" stroke-linecap="round"/>`,
  map: `<path d="m20 34 27-10 26 10 27-10v58L73 92 47 82 20 92z" fill="#f7f3ea"/><path d="M47 24v58l26 10V34z" fill="#d9e5d6"/>
    <path d="M28 78c10-24 22 2 34-18 8-13 18-6 28-20" fill="none" stroke="#e4572e" stroke-width="4" stroke-dasharray="7 5"/>
    <circle cx="90" cy="40" r="6" fill="#e4572e"/>`,
}
