/** As in the styles: there, totals and filters would take the whole screen before the first request. */
const NARROW = '(max-width: 640px)'

/** Folds totals and filters on a narrow screen, where their summaries are shown, and opens them on a wide one. */
export function foldOnNarrowScreens(): void {
  const narrow = matchMedia(NARROW)
  const fold = () => {
    for (const each of document.querySelectorAll<HTMLDetailsElement>('details.overview'))
      each.open = !narrow.matches
  }
  narrow.addEventListener('change', fold)
  fold()
}
