import type { TrackedRequest } from '../../model/tracked-request.js'
import { parseCookies } from '../../request/cookies.js'

/** A request with nothing but a `Cookie` header, which tells which cookies a reader asked for. */
export interface CookieRequest {
  readonly request: TrackedRequest
  /** The names of its cookies. */
  readonly names: readonly string[]
  /** The names that were asked for since the last call. */
  asked(): string[]
}

/** @param header - A `Cookie` header, with its name or without. */
export function cookieRequest(header: string): CookieRequest {
  const text = header.trim().replace(/^cookie:\s*/i, '')
  const cookies = parseCookies(text)
  const asked = new Set<string>()
  const get = cookies.get.bind(cookies)
  Object.defineProperty(cookies, 'get', {
    value: (name: string) => {
      asked.add(name)
      return get(name)
    },
  })
  return {
    request: {
      headers: { cookie: text },
      cookies,
      method: 'GET',
      url: new URL('http://localhost/'),
      user: undefined,
      session: undefined,
      state: undefined,
      native: undefined,
    },
    names: [...cookies.keys()],
    asked() {
      const names = [...asked]
      asked.clear()
      return names
    },
  }
}
