/**
 * A response before its head is out: Node's, or what stands for a web-standard one, which is complete when it comes.
 */
export interface OutgoingResponse {
  readonly headersSent: boolean
  readonly statusCode: number
  getHeader(name: string): number | string | string[] | undefined
  setHeader(name: string, value: readonly string[]): unknown
  removeHeader(name: string): unknown
}

/** The status, type and cookies of a response whose headers are about to go out. */
export interface ResponseHead {
  readonly status: number
  readonly contentType: unknown
  /** The cookies that are given with the head, and take the place of those that were set before; none if there are none. */
  readonly cookies: readonly string[] | undefined
}

/**
 * Calls back right before a response's headers go out: the last moment to add one. It is also the only moment at which the
 * headers that a handler passes to `writeHead()` are known, because Node sends them without keeping them.
 *
 * Node has no event for this, but everything that sends headers calls `writeHead()`; with HTTP/2 only handlers do. If
 * writing fails, the next try calls back again. Exceptions of the callback are contained.
 *
 * @param callback - May return a cookie that joins those which are given with the head.
 */
export function beforeHead(
  response: OutgoingResponse,
  callback: (head: ResponseHead) => string | undefined,
): void {
  const write: unknown = Reflect.get(response, 'writeHead')
  if (typeof write !== 'function') return
  let sent = false
  const writeHead = (...given: unknown[]): unknown => {
    let all = given
    if (!sent) {
      try {
        const cookie = callback(headOf(response, given))
        if (cookie !== undefined) all = given.map((part) => withCookie(part, cookie))
      } catch {
        // A failing callback must not stop the response.
      }
    }
    const written: unknown = Reflect.apply(write, response, all)
    sent = true
    return written
  }
  Object.assign(response, { writeHead })
}

/** @param given - The arguments of `writeHead()`: a status, optionally a message, optionally headers. */
function headOf(response: OutgoingResponse, [status, ...rest]: readonly unknown[]): ResponseHead {
  const headers = entriesOf(rest.find((part) => typeof part === 'object' && part !== null))
  const cookies = cookiesIn(headers)
  return {
    status: typeof status === 'number' ? status : response.statusCode,
    contentType:
      headers.find(([name]) => is(name, 'content-type'))?.[1] ?? response.getHeader('content-type'),
    cookies: cookies.length > 0 ? cookies : undefined,
  }
}

function cookiesIn(headers: readonly Entry[]): string[] {
  return headers
    .filter(([name]) => is(name, 'set-cookie'))
    .flatMap(([, value]) => value)
    .map(String)
}

type Entry = [name: unknown, value: unknown]

/** Node accepts an object, a flat list of names and values, and a list of pairs. */
function entriesOf(headers: unknown): Entry[] {
  if (!Array.isArray(headers)) return Object.entries(headers ?? {})
  const flat: unknown[] = headers.some(Array.isArray) ? headers.flat() : headers
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]]] : []))
}

/** Adds a cookie to an argument of `writeHead()` if that has the headers; they may be the application's for all responses. */
function withCookie(part: unknown, cookie: string): unknown {
  if (typeof part !== 'object' || part === null) return part
  if (Array.isArray(part)) {
    // Of a name that comes twice in a list, some versions of Node send the last value only.
    const others = entriesOf(part).filter(([name]) => !is(name, 'set-cookie'))
    return [...others.flat(), 'Set-Cookie', [...cookiesIn(entriesOf(part)), cookie]]
  }
  const name = Object.keys(part).find((each) => is(each, 'set-cookie')) ?? 'Set-Cookie'
  return { ...part, [name]: [Reflect.get(part, name) ?? [], cookie].flat() }
}

function is(name: unknown, header: string): boolean {
  return typeof name === 'string' && name.toLowerCase() === header
}
