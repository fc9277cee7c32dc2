import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { type ContextAdapter, noContext } from './ambient.js'
import { BodyEvents, bindQueued, isQueued } from './request-events.js'

/** Runs requests in the ambient context, and what Node does for them after their handlers. */
export class RequestRunner {
  readonly #adapter: ContextAdapter
  readonly #bodyEvents: BodyEvents | undefined

  constructor(adapter: ContextAdapter) {
    this.#adapter = adapter
    if (adapter !== noContext) this.#bodyEvents = new BodyEvents((request) => this.#isRunning(request))
  }

  /** Runs the rest of a request's way through the application. */
  run<T>(tracker: Tracker, request: IncomingMessage, response: ServerResponse, next: () => T): T {
    if (!this.#bodyEvents) return next()
    this.#bodyEvents.watch(request)
    return isQueued(response) ? this.#runQueued(tracker, response, next) : this.#adapter.run(tracker, next)
  }

  /** Runs a part of a request's way, where Node has nothing more to do for it, or where its context has been lost. */
  runPart<T>(tracker: Tracker, part: () => T): T {
    return this.#adapter.run(tracker, part)
  }

  /** A tracker's request has ended. */
  ended(tracker: Tracker): void {
    const message = this.#bodyEvents && messageOf(tracker)
    if (message) this.#bodyEvents?.unwatch(message)
  }

  #runQueued<T>(tracker: Tracker, response: ServerResponse, next: () => T): T {
    return this.#adapter.run(tracker, () => {
      bindQueued(response)
      return next()
    })
  }

  #isRunning(request: IncomingMessage): boolean {
    const running = this.#adapter.get()
    return running !== undefined && messageOf(running) === request
  }
}
