import type { IncomingMessage, ServerResponse } from 'node:http'
import { onSocketClose } from './socket-close.js'

/** Who is told of the ends of requests. */
export interface EndListener<T> {
  /**
   * A request has ended. Must not throw: it runs in an event's listener.
   *
   * @param watched - What stands for the request.
   * @param status - The response's, or `undefined` where it was aborted.
   */
  ended(watched: T, status: number | undefined): void
}

/** RFC 9110, section 15.2.2. */
const SWITCHING_PROTOCOLS = 101

/**
 * Calls back when a request has ended: exactly once, with all listeners removed.
 *
 * The end is what comes first of the response's `finish`, which is missing when it is aborted, and its `close`, which is
 * missing behind some adapters. A response that has no connection yet may tell neither: on Node 20 and 22 that is a
 * pipelined one whose socket dies in the queue. There the request's own `close` tells, unless its body was read before:
 * then only the socket's does.
 *
 * A request that asked for another protocol and got it, such as a WebSocket's, has ended when it arrives: its response
 * tells nothing any more, and what is said in the other protocol may go on for hours.
 *
 * @param watched - What stands for the request when the listener is told.
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

  /** @param watchesRequest - Whether to listen to the request, too: a response that has its connection tells surely. */
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
      // Of an object that the application froze no listener can be taken; it has nothing to do any more.
    }
    this.#listener.ended(this.#watched, status)
  }
}

/** HTTP/2 emits 'finish' for a stream that was reset, too. */
function statusAtFinish(request: IncomingMessage, response: ServerResponse): number | undefined {
  // `aborted` is deprecated, and the one flag that is right for HTTP/1 and HTTP/2 on every Node from 20 on.
  return request.aborted ? undefined : response.statusCode
}

/**
 * Watches the request where its response may not tell.
 *
 * @returns What ends it.
 */
function watchRequest(request: IncomingMessage, abort: () => void): () => void {
  const closed = () => {
    if (request.aborted) abort()
  }
  try {
    request.on('close', closed)
  } catch {
    // A frozen request takes no listener: the response tells.
  }
  const unwatchSocket = request.socket && onSocketClose(request.socket, abort)
  return () => {
    request.off('close', closed)
    unwatchSocket?.()
  }
}

/** Whether the server has handed the connection over: Node says so in a property that it does not document. */
function isUpgraded(request: IncomingMessage): boolean {
  return 'upgrade' in request && request.upgrade === true
}
