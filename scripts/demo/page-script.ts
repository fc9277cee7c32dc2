/** The event that a page of the shop has for its script to send to the shop's endpoint for browsers. */
export function eventInPage(html: string): string | undefined {
  return /data-view="([^"]*)"/.exec(html)?.[1]?.replaceAll('&quot;', '"')
}
