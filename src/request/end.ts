import type { IncomingMessage, ServerResponse } from 'node:http'
import { type EndListener, EndWatch } from './end-watch.js'
import { hasEnded, hasNoConnection, isUpgraded, statusAtClose } from './response-state.js'

export type { EndListener } from './end-watch.js'

/** RFC 9110, section 15.2.2. */
const SWITCHING_PROTOCOLS = 101

/**
 * Calls the listener exactly once when a request has ended, with all event listeners removed.
 *
 * A request ends with the first of two events: the response's `finish`, which is missing when it is aborted, and its
 * `close`, which is missing behind some adapters. A response without a connection may emit neither: on Node 20 and 22 that
 * is a pipelined one whose socket dies in the queue. Then the request's own `close` counts, or the socket's, if the body
 * was read before.
 *
 * An upgraded request, such as a WebSocket's, ends when it arrives: its response emits no more events, and the other
 * protocol may run for hours.
 *
 * @param watched - The value that stands for the request when the listener is called.
 * @throws If the response can be neither listened to nor asked. The listener is not called then.
 */
export function watchEnd<T>(
  request: IncomingMessage,
  response: ServerResponse,
  watched: T,
  listener: EndListener<T>,
): void {
  if (isUpgraded(request)) listener.ended(watched, SWITCHING_PROTOCOLS)
  else if (hasEnded(request, response)) listener.ended(watched, statusAtClose(request, response))
  else new EndWatch(request, response, watched, listener).begin(hasNoConnection(response))
}
