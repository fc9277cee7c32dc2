import type { Journey } from './journeys.js'
import { eventInPage } from './page-script.js'

/**
 * Makes the requests of a journey, one after the other, as a browser would: with the cookies that it is given.
 *
 * @param url - Where the shop is.
 * @returns What was answered otherwise than expected.
 */
export async function travel(url: string, journey: Journey, signal: AbortSignal): Promise<string[]> {
  const cookies = new Map(Object.entries(journey.cookies))
  const problems: string[] = []
  for (const { method, path, body, status } of journey.steps) {
    const response = await fetch(url + path, {
      method,
      headers: { ...headersOf(cookies), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    })
    const page = await response.text()
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (name !== undefined && value !== undefined) cookies.set(name, value)
    }
    const view = eventInPage(page)
    // What the page's script sends, as the browser of this visitor.
    if (view !== undefined)
      await fetch(`${url}/collect`, {
        method: 'POST',
        headers: { ...headersOf(cookies), origin: url },
        body: view,
        signal,
      })
    if (response.status !== status) {
      problems.push(`${method} ${path} of ${journey.visitor}: answered ${response.status}, not ${status}`)
    }
  }
  return problems
}

function headersOf(cookies: ReadonlyMap<string, string>): Record<string, string> {
  return { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
}
