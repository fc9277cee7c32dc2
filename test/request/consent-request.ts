import type { IncomingHttpHeaders } from 'node:http'
import { parseCookie } from 'cookie'
import type { TrackedRequest } from '../../src/model/tracked-request.js'

/** A request with a `Cookie` header as a browser sends it, and other headers. */
export function requestWith(cookie: string, headers: IncomingHttpHeaders = {}): TrackedRequest {
  const parsed = parseCookie(cookie, { decode: (value) => value })
  const cookies = new Map<string, string>()
  for (const [name, value] of Object.entries(parsed)) {
    if (value !== undefined) cookies.set(name, value)
  }
  return {
    headers,
    cookies,
    method: 'GET',
    url: new URL('https://shop.example/'),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}
