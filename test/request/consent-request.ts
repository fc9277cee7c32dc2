import type { IncomingHttpHeaders } from 'node:http'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import { parseCookies } from '../../src/request/cookies.js'

/** A request with a `Cookie` header as a browser sends it, and other headers. */
export function requestWith(cookie: string, headers: IncomingHttpHeaders = {}): TrackedRequest {
  return {
    headers: { cookie, ...headers },
    cookies: parseCookies(cookie),
    method: 'GET',
    url: new URL('https://shop.example/'),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}
