import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** The events that Node emits while it reads a body. */
const BODY_EVENTS = new Set<unknown>(['data', 'end', 'readable'])

/**
 * Binds the events of a request's body to the context in which they are listened to. Node emits them in the context of the
 * connection, where no request runs, unless the body has come with the head.
 *
 * Costs only those requests that can have a body, and more only when somebody listens.
 */
export class BodyEvents {
  readonly #isRunning: (request: IncomingMessage) => boolean
  readonly #listenerAdded: (this: IncomingMessage, event: string | symbol) => void

  /** @param isRunning - Whether a request is the one that runs now: a listener that is added elsewhere is not bound. */
  constructor(isRunning: (request: IncomingMessage) => boolean) {
    this.#isRunning = isRunning
    const added = (request: IncomingMessage, event: unknown) => this.#bind(request, event)
    this.#listenerAdded = function listenerAdded(event) {
      added(this, event)
    }
  }

  /** A request begins. */
  watch(request: IncomingMessage): void {
    try {
      if (!canHaveBody(request)) return
      if (request.listenerCount('newListener', this.#listenerAdded) > 0) return
      request.on('newListener', this.#listenerAdded)
    } catch {
      // Somebody has replaced `on`, or the request is a proxy that throws: it is served without.
    }
  }

  /** A request has ended. */
  unwatch(request: object): void {
    try {
      if (request instanceof Readable) request.off('newListener', this.#listenerAdded)
    } catch {
      // A listener that cannot be taken off does nothing any more.
    }
  }

  #bind(request: IncomingMessage, event: unknown): void {
    if (!BODY_EVENTS.has(event)) return
    // Of a body that has come, Node emits the rest in the context of the listener.
    const isDone = request.complete || Object.hasOwn(request, 'push')
    if (!isDone && !this.#isRunning(request)) return
    request.off('newListener', this.#listenerAdded)
    if (!isDone) bindMethod(request, 'push', (chunk) => chunk === null)
  }
}

/**
 * Binds a response that waits for its connection, as a pipelined one does, to the context that runs now: the response before
 * it would send it, and its listeners would run in that one's context.
 */
export function bindQueued(response: ServerResponse): void {
  try {
    bindMethod(response, 'assignSocket', () => true)
  } catch {
    // A proxy that throws stays as it is.
  }
}

/** Whether a response waits for its connection. One that throws when it is asked does not. */
export function isQueued(response: ServerResponse): boolean {
  try {
    return !response.socket && typeof response.assignSocket === 'function' && Object.isExtensible(response)
  } catch {
    return false
  }
}

/**
 * Makes a method run in the context that runs now.
 *
 * @param isLast - Whether a call, by its first argument, is the last one: nothing is left on the object then.
 */
function bindMethod(owner: object, name: string, isLast: (given: unknown) => boolean): void {
  const scope = new AsyncResource('reqtrack')
  const method: unknown = Reflect.get(owner, name)
  if (typeof method !== 'function') return
  const value = (...given: unknown[]): unknown => {
    if (isLast(given[0])) Reflect.deleteProperty(owner, name)
    return scope.runInAsyncScope(() => Reflect.apply(method, owner, given))
  }
  // Unlike `defineProperty`, this does not throw where somebody has fixed the property.
  Reflect.defineProperty(owner, name, { configurable: true, enumerable: false, writable: true, value })
}

/** What a unit test makes up may be no stream, or frozen. */
function canHaveBody(request: object): request is IncomingMessage {
  const method = 'method' in request ? request.method : undefined
  if ((method === 'GET' || method === 'HEAD') && !announcesBody(request)) return false
  return request instanceof Readable && Object.isExtensible(request)
}

const LENGTH = 'content-length'
const ENCODING = 'transfer-encoding'

/**
 * Whether a GET or a HEAD has a body all the same. RFC 9110, section 9.3.1, gives it no meaning, and clients send one to
 * endpoints that search.
 *
 * Looks at the lengths of the raw names first, since Node makes the object of all headers only for those who read it.
 */
function announcesBody(request: object): boolean {
  const raw = 'rawHeaders' in request ? request.rawHeaders : undefined
  if (!Array.isArray(raw)) return false
  if ('httpVersionMajor' in request && request.httpVersionMajor === 2) return !endsAfterHeaders(request)
  for (let at = 0; at < raw.length; at += 2) {
    const name: unknown = raw[at]
    if (typeof name !== 'string') continue
    if (name.length === ENCODING.length && name.toLowerCase() === ENCODING) return true
    if (name.length === LENGTH.length && name.toLowerCase() === LENGTH && raw[at + 1] !== '0') return true
  }
  return false
}

/** In HTTP/2 the frame of the headers says it: a body needs no length there. */
function endsAfterHeaders(request: object): boolean {
  const stream = 'stream' in request ? request.stream : undefined
  return stream instanceof Readable && 'endAfterHeaders' in stream && stream.endAfterHeaders === true
}
