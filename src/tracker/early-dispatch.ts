import { openWatches } from '../request/open-watches.js'
import { clearInterval, performance, setInterval } from '../support/clock.js'
import { outside } from '../support/outside.js'
import type { Dispatcher } from './dispatcher.js'
import type { OpenScopes } from './open-scopes.js'
import { RequestTracker } from './request-tracker.js'

/** Milliseconds for which a response's headers have to be out before its events go early. */
const HEAD_OUT_MS = 5_000
/** Milliseconds between two looks at the open requests. */
const LOOK_MS = 1_000

/**
 * Sends the events of responses that stay open, such as event streams: their end may be hours away. A response counts as
 * one when its headers have been out for five seconds.
 *
 * Looking at the open requests once a second costs a request nothing, and the timer runs only while one has events.
 */
export class EarlyDispatch {
  readonly #open: OpenScopes
  readonly #dispatcher: Dispatcher
  #timer: NodeJS.Timeout | undefined

  constructor(open: OpenScopes, dispatcher: Dispatcher) {
    this.#open = open
    this.#dispatcher = dispatcher
  }

  /** An open request has collected an event. */
  begin(): void {
    if (!this.#timer) this.#start()
  }

  #start(): void {
    this.#timer = outside(() => setInterval(() => this.#look(), LOOK_MS).unref())
  }

  #look(): void {
    openWatches.sweep()
    const collecting = this.#open.collecting()
    for (const tracker of collecting) {
      if (tracker instanceof RequestTracker && tracker.hasEvents && isStreaming(tracker))
        this.#dispatcher.ready(tracker)
    }
    if (collecting.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function isStreaming(tracker: RequestTracker): boolean {
  if (!tracker.response.headersSent) return false
  tracker.headMark ??= performance.now()
  return performance.now() - tracker.headMark >= HEAD_OUT_MS
}
