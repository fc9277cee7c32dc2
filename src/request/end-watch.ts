import type { IncomingMessage, ServerResponse } from 'node:http'
import { type OpenWatch, openWatches } from './open-watches.js'
import { hasEndedUnheard, hearsFinish, statusAtClose, statusAtFinish, tellsState } from './response-state.js'
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

/** Listens for a request's end. */
export class EndWatch<T> implements OpenWatch {
  next: OpenWatch | undefined
  previous: OpenWatch | undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #watched: T
  readonly #listener: EndListener<T>
  readonly #finished = this.#finish.bind(this)
  readonly #closed = this.#close.bind(this)
  #unwatchRequest: (() => void) | undefined
  #isSettled = false

  constructor(request: IncomingMessage, response: ServerResponse, watched: T, listener: EndListener<T>) {
    this.#request = request
    this.#response = response
    this.#watched = watched
    this.#listener = listener
  }

  /**
   * @param hasNoConnection - Whether the response may emit nothing: it waits for its connection, or is none of Node's.
   * @throws If the response can be neither listened to nor asked. No listener is left then.
   */
  begin(hasNoConnection: boolean): void {
    const response = this.#response
    try {
      response.on('finish', this.#finished)
      response.on('close', this.#closed)
      if (hasNoConnection) {
        this.#unwatchRequest = watchRequest(this.#request, this.#closed)
        if (!hearsFinish(response) && !tellsState(response))
          throw new Error('the response emits no events and tells no state')
      }
    } catch (error) {
      this.#isSettled = true
      this.#unlisten()
      throw error
    }
    openWatches.opened(this)
  }

  /** Ends the watch if the request has ended and no event has told. */
  check(): void {
    let hasEnded: boolean
    try {
      hasEnded = hasEndedUnheard(this.#request, this.#response)
    } catch {
      // The socket of an HTTP/2 session throws when the session is gone.
      return this.#settle(undefined)
    }
    if (hasEnded) this.#close()
  }

  #finish(): void {
    this.#settle(statusAtFinish(this.#request, this.#response))
  }

  #close(): void {
    this.#settle(statusAtClose(this.#request, this.#response))
  }

  #settle(status: number | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    openWatches.ended(this)
    this.#unlisten()
    this.#listener.ended(this.#watched, status)
  }

  #unlisten(): void {
    try {
      this.#response.off('finish', this.#finished)
      this.#response.off('close', this.#closed)
    } catch {
      // A frozen object keeps its listeners, which do nothing any more.
    }
    this.#unwatchRequest?.()
  }
}

/**
 * Watches the request itself, because its response may emit nothing. What takes no listeners, as the request and the socket
 * of a test or an adapter may, is not watched.
 *
 * @returns A function that removes the listeners.
 */
function watchRequest(request: IncomingMessage, abort: () => void): () => void {
  const closed = () => {
    if (request.aborted) abort()
  }
  contain(() => request.on('close', closed))
  const unwatchSocket = contain(() => request.socket && onSocketClose(request.socket, abort))
  return () => {
    contain(() => request.off('close', closed))
    contain(() => unwatchSocket?.())
  }
}

function contain<R>(act: () => R): R | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
