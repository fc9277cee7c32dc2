import type { IncomingMessage, ServerResponse } from 'node:http'
import { onSocketClose } from './socket-close.js'

/** Listens for the end of requests. */
export interface EndListener<T> {
  /**
   * A request has ended. Must not throw: it runs in an event listener.
   *
   * @param watched - The value that stands for the request.
   * @param status - The status of the response, or `undefined` if the request was aborted.
   */
  ended(watched: T, status: number | undefined): void
}

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
 */
export function watchEnd<T>(
  request: IncomingMessage,
  response: ServerResponse,
  watched: T,
  listener: EndListener<T>,
): void {
  if (isUpgraded(request)) {
    listener.ended(watched, SWITCHING_PROTOCOLS)
    return
  }
  const hasNoConnection = !response.socket
  if (response.writableFinished || response.destroyed || (hasNoConnection && request.socket?.destroyed)) {
    listener.ended(watched, response.writableFinished ? statusAtFinish(request, response) : undefined)
    return
  }
  new EndWatch(request, response, watched, listener).begin(hasNoConnection)
}

/** Listens for a request's end. */
class EndWatch<T> {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #watched: T
  readonly #listener: EndListener<T>
  readonly #finished = this.#finish.bind(this)
  readonly #closed = this.#abort.bind(this)
  #unwatchRequest: (() => void) | undefined
  #isSettled = false

  constructor(request: IncomingMessage, response: ServerResponse, watched: T, listener: EndListener<T>) {
    this.#request = request
    this.#response = response
    this.#watched = watched
    this.#listener = listener
  }

  /** @param watchesRequest - Whether to listen to the request, too: only a response with a connection emits for sure. */
  begin(watchesRequest: boolean): void {
    this.#response.on('finish', this.#finished)
    this.#response.on('close', this.#closed)
    if (watchesRequest) this.#unwatchRequest = watchRequest(this.#request, this.#closed)
  }

  #finish(): void {
    this.#settle(statusAtFinish(this.#request, this.#response))
  }

  #abort(): void {
    this.#settle(undefined)
  }

  #settle(status: number | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    try {
      this.#response.off('finish', this.#finished)
      this.#response.off('close', this.#closed)
      this.#unwatchRequest?.()
    } catch {
      // A frozen object keeps its listeners, which do nothing any more.
    }
    this.#listener.ended(this.#watched, status)
  }
}

/** HTTP/2 emits 'finish' for a stream that was reset, too. */
function statusAtFinish(request: IncomingMessage, response: ServerResponse): number | undefined {
  // `aborted` is deprecated, but the one flag that is right for HTTP/1 and HTTP/2 on every Node from 20 on.
  return request.aborted ? undefined : response.statusCode
}

/**
 * Watches the request itself, because its response may emit nothing.
 *
 * @returns A function that removes the listeners.
 */
function watchRequest(request: IncomingMessage, abort: () => void): () => void {
  const closed = () => {
    if (request.aborted) abort()
  }
  try {
    request.on('close', closed)
  } catch {
    // A frozen request takes no listeners; the response is watched anyway.
  }
  const unwatchSocket = request.socket && onSocketClose(request.socket, abort)
  return () => {
    request.off('close', closed)
    unwatchSocket?.()
  }
}

/** Whether the server has handed over the connection; Node marks it with an undocumented property. */
function isUpgraded(request: IncomingMessage): boolean {
  return 'upgrade' in request && request.upgrade === true
}
