import type { Journey } from './journeys.js'

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
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    })
    await response.arrayBuffer()
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (name !== undefined && value !== undefined) cookies.set(name, value)
    }
    if (response.status !== status) {
      problems.push(`${method} ${path} of ${journey.visitor}: answered ${response.status}, not ${status}`)
    }
  }
  return problems
}
