import type { ServerResponse } from 'node:http'

/** What a response says of itself as its headers go out. */
export interface ResponseHead {
  readonly status: number
  readonly contentType: unknown
}

/**
 * Calls back right before a response's headers go out: the last moment to add one, and the only one at which those are
 * known that a handler gives to `writeHead()`, which Node sends without keeping them.
 *
 * Node has no event for this, but whatever sends headers comes through `writeHead()`; responses to HTTP/2 requests do so
 * only if a handler calls it. Where writing fails, it is called again with the next try. What it throws is contained.
 */
export function beforeHead(response: ServerResponse, callback: (head: ResponseHead) => void): void {
  const { writeHead: write } = response
  let sent = false
  const writeHead = (...given: unknown[]): unknown => {
    if (!sent) {
      try {
        callback(headOf(response, given))
      } catch {
        // The response goes out whatever becomes of who watches it.
      }
    }
    const written: unknown = Reflect.apply(write, response, given)
    sent = true
    return written
  }
  Object.assign(response, { writeHead })
}

/** @param given - What `writeHead()` was given: a status, a message perhaps, and headers perhaps. */
function headOf(response: ServerResponse, [status, ...rest]: readonly unknown[]): ResponseHead {
  const headers = rest.find((part) => typeof part === 'object' && part !== null)
  return {
    status: typeof status === 'number' ? status : response.statusCode,
    contentType: contentTypeIn(headers) ?? response.getHeader('content-type'),
  }
}

/** Node takes an object, a list of names and values in turn, and a list of pairs. */
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
