import type { IncomingMessage, ServerResponse } from 'node:http'
import { onSocketClose } from './socket-close.js'

/** How a request ended. */
export interface Outcome {
  /** The status of the response; none where it was aborted, since frameworks then report one that was never sent. */
  readonly status: number | undefined
  /**
   * Whether the connection closed before the response was complete: before all of it was handed to the operating system.
   * Whether the client has read it no server knows.
   */
  readonly aborted: boolean
  /** The pattern of the route that took the request, where the framework tells. */
  readonly route: string | undefined
  /** Milliseconds from the middleware to the end. */
  readonly durationMs: number
}

/** Who is told of a request's end. */
export interface EndListener {
  /**
   * The request has ended. Must not throw: it runs in an event's listener.
   *
   * @param status - The response's, or `undefined` where it was aborted.
   */
  ended(status: number | undefined): void
}

/** RFC 9110, section 15.2.2. */
const SWITCHING_PROTOCOLS = 101

/**
 * Calls back when a request has ended: exactly once, with all listeners removed.
 *
 * The end is the first of four events, because each is missing somewhere: the response's `finish` when it is aborted, its
 * `close` behind some adapters, and both on a pipelined response whose socket dies in the queue (Node 20 and 22). There
 * the request's own `close` tells, unless its body was read before: then only the socket's does.
 *
 * A request that asked for another protocol and got it, such as a WebSocket's, has ended when it arrives: its response
 * tells nothing any more, and what is said in the other protocol may go on for hours.
 *
 * @param listener - Is told, once.
 */
export function watchEnd(request: IncomingMessage, response: ServerResponse, listener: EndListener): void {
  if (isUpgraded(request)) {
    listener.ended(SWITCHING_PROTOCOLS)
    return
  }
  const hasNoConnection = !response.socket
  if (response.writableFinished || response.destroyed || (hasNoConnection && request.socket?.destroyed)) {
    listener.ended(response.writableFinished ? statusAtFinish(request, response) : undefined)
    return
  }
  new EndWatch(request, response, listener).begin(hasNoConnection)
}

/** Listens for a request's end. */
class EndWatch {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #listener: EndListener
  readonly #finished = this.#finish.bind(this)
  readonly #closed = this.#abort.bind(this)
  #unwatchRequest: (() => void) | undefined
  #isSettled = false

  constructor(request: IncomingMessage, response: ServerResponse, listener: EndListener) {
    this.#request = request
    this.#response = response
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
    this.#listener.ended(status)
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
