import type { ServerResponse } from 'node:http'

/** The status and type of a response whose headers are about to go out. */
export interface ResponseHead {
  readonly status: number
  readonly contentType: unknown
}

/**
 * Calls back right before a response's headers go out: the last moment to add one. It is also the only moment at which the
 * headers that a handler passes to `writeHead()` are known, because Node sends them without keeping them.
 *
 * Node has no event for this, but everything that sends headers calls `writeHead()`; with HTTP/2 only handlers do. If
 * writing fails, the next try calls back again. Exceptions of the callback are contained.
 */
export function beforeHead(response: ServerResponse, callback: (head: ResponseHead) => void): void {
  const { writeHead: write } = response
  let sent = false
  const writeHead = (...given: unknown[]): unknown => {
    if (!sent) {
      try {
        callback(headOf(response, given))
      } catch {
        // A failing callback must not stop the response.
      }
    }
    const written: unknown = Reflect.apply(write, response, given)
    sent = true
    return written
  }
  Object.assign(response, { writeHead })
}

/** @param given - The arguments of `writeHead()`: a status, optionally a message, optionally headers. */
function headOf(response: ServerResponse, [status, ...rest]: readonly unknown[]): ResponseHead {
  const headers = rest.find((part) => typeof part === 'object' && part !== null)
  return {
    status: typeof status === 'number' ? status : response.statusCode,
    contentType: contentTypeIn(headers) ?? response.getHeader('content-type'),
  }
}

/** Node accepts an object, a flat list of names and values, and a list of pairs. */
function contentTypeIn(headers: unknown): unknown {
  if (!Array.isArray(headers)) {
    return Object.entries(headers ?? {}).find(([name]) => isContentType(name))?.[1]
  }
  const flat: unknown[] = headers.flat()
  return flat.find((_, index) => index % 2 === 1 && isContentType(flat[index - 1]))
}

function isContentType(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'content-type'
}
