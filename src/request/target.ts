/** The origin of requests whose host is unknown, or none. */
const UNKNOWN_ORIGIN = 'http://localhost'
/** Of a host and its port: RFC 3986, section 3.2.2, bounds names so. */
const MAX_HOST_LENGTH = 255
/** Scheme, host and port: RFC 3986, section 3.2, without user and password, which no `Host` has. */
const ORIGIN = /^https?:\/\/(?:(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+|\[[\da-f:.]+\])(?::\d{0,5})?$/i
/** The beginning of an absolute-form target: RFC 9112, section 3.2.2. */
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i

/**
 * Makes the URL of a request. Whatever the client sends, the origin is that of a checked host, and the path is the target's
 * own: nothing in a `Host` can become a path, and a target never names the host.
 *
 * @param origin - Scheme and host as the framework has them. `http://localhost` stands for one that is no origin.
 * @param target - The request's target in any of its forms; an authority and `*` have no path and become `/`.
 */
export function requestUrl(origin: string | undefined, target: string): URL {
  const path = pathOf(target)
  return (
    (origin !== undefined && isOrigin(origin) ? parse(`${origin}${path}`) : undefined) ??
    parse(`${UNKNOWN_ORIGIN}${path}`) ??
    new URL(UNKNOWN_ORIGIN)
  )
}

function isOrigin(text: string): boolean {
  const hostLength = text.length - text.indexOf('://') - '://'.length
  return hostLength <= MAX_HOST_LENGTH && ORIGIN.test(text)
}

/** Path and query of a target. */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(ABSOLUTE, '')
  if (rest.length === target.length) return target.startsWith('?') ? `/${target}` : '/'
  return rest.startsWith('/') ? rest : `/${rest}`
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
