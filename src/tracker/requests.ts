import type { IncomingMessage, ServerResponse } from 'node:http'
import { isProxy } from 'node:util/types'
import type { WalkerOS } from '@walkeros/core'
import type { ContextAdapter } from '../context/ambient.js'
import type { Tracker } from '../model/tracker.js'
import type { Reporter } from '../observe/reporter.js'
import { type EndListener, watchEnd } from '../request/end.js'
import { type Framework, MessageRequest, messageOf } from '../request/message-request.js'
import { watchPage } from '../request/page-view.js'
import type { SenderReader } from '../request/sender.js'
import { isPromise } from '../support/maybe.js'
import { PropertyStore } from '../support/property-store.js'
import type { ConsentUpdates } from './consent-updates.js'
import type { Dispatcher } from './dispatcher.js'
import { OpenRequests } from './open-requests.js'
import { type OpenEvent, RequestTracker, type TrackerHost } from './request-tracker.js'
import type { TrackedEvents } from './tracked-events.js'

/** What requests are tracked with. */
export interface RequestsParts {
  readonly sender: SenderReader
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly dispatcher: Dispatcher
  readonly ambient: ContextAdapter
  readonly consentUpdates: ConsentUpdates
  /** Whether a Segment `page` is tracked for every page that is shown. */
  readonly pageViews: boolean
}

/** Gives each request its tracker, and settles what it tracked when the request ends. */
export class Requests implements TrackerHost, EndListener<RequestTracker> {
  readonly sender: SenderReader
  readonly events: TrackedEvents
  readonly reporter: Reporter
  /** The requests and the background work that a shutdown waits for. */
  readonly open = new OpenRequests()
  readonly #parts: RequestsParts
  readonly #trackers = new PropertyStore(RequestTracker)

  constructor(parts: RequestsParts) {
    this.#parts = parts
    this.sender = parts.sender
    this.events = parts.events
    this.reporter = parts.reporter
  }

  /** The tracker of a request: the same one however often it is asked for. The first call watches the request's end. */
  attach<Native>(
    framework: Framework<Native>,
    native: Native,
    req: IncomingMessage,
    res: ServerResponse,
  ): RequestTracker {
    const known = this.#trackerOf(req)
    if (known) return known
    const tracker = new RequestTracker(this, new MessageRequest(framework, native, req), res)
    this.#trackers.set(req, tracker)
    this.open.began()
    this.#watch(tracker, req, res)
    return tracker
  }

  /**
   * The running request's tracker. Trackings, and copies of this package, share a context: its tracker tells which request
   * runs, and this tracking's own tracker goes first.
   */
  current(): Tracker | undefined {
    const running = this.#parts.ambient.get()
    const message = running && messageOf(running)
    return (message && this.#trackerOf(message)) ?? running
  }

  /** A request that was made by copying another has the other's tracker on it: it is not its own. */
  #trackerOf(message: object): RequestTracker | undefined {
    const found = this.#trackers.get(message)
    return found && isSameObject(messageOf(found), message) ? found : undefined
  }

  collected(tracker: RequestTracker, event: OpenEvent): void {
    if (!tracker.outcome) this.open.collected(tracker)
    this.events.collected(tracker.number, event.collected)
  }

  chosen(tracker: RequestTracker, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): void {
    const update = this.#parts.consentUpdates.chosen(tracker, chosen, before)
    if (isPromise(update)) this.open.working(update)
  }

  ready(tracker: RequestTracker): void {
    this.#parts.dispatcher.ready(tracker)
  }

  working(work: PromiseLike<unknown>): void {
    this.open.working(work)
  }

  ended(tracker: RequestTracker, status: number | undefined): void {
    try {
      this.open.ended(tracker)
      if (status !== undefined && tracker.showedPage?.(status)) {
        const properties = this.sender.pageProperties(tracker.request)
        tracker.inScope(() => tracker.pageViewed(properties))
      }
      this.#settle(tracker, status)
    } catch (error) {
      // An exception in an event listener would end the process.
      this.reporter.fault('the end of a request could not be handled', error)
    }
  }

  /** Settles every open request that has collected something, as if it were aborted now. */
  abortCollecting(): void {
    for (const tracker of this.open.collecting()) this.#settle(tracker, undefined)
  }

  #watch(tracker: RequestTracker, req: IncomingMessage, res: ServerResponse): void {
    try {
      if (this.#parts.pageViews) {
        tracker.showedPage = watchPage(tracker.request, res, () => tracker.pageShown())
      }
      watchEnd(req, res, tracker, this)
    } catch (error) {
      // The request's events go at once rather than never.
      this.reporter.fault('the end of a request cannot be watched', error)
      this.ended(tracker, undefined)
    }
  }

  /** @param status - The response's; `undefined` where it was aborted. */
  #settle(tracker: RequestTracker, status: number | undefined): void {
    if (tracker.outcome) return
    const { dispatcher } = this.#parts
    tracker.outcome = {
      status,
      aborted: status === undefined,
      route: this.#routeOf(tracker),
      durationMs: performance.now() - tracker.startedMark,
    }
    this.reporter.observation.tell?.({
      type: 'ended',
      request: tracker.number,
      outcome: tracker.outcome,
      tracked: tracker.request,
      who: () => dispatcher.who(tracker),
    })
    if (tracker.chosenConsent) this.chosen(tracker, tracker.chosenConsent, undefined)
    if (tracker.hasEvents) dispatcher.ready(tracker)
  }

  #routeOf(tracker: RequestTracker): string | undefined {
    try {
      return tracker.request.route
    } catch (error) {
      this.reporter.fault('the route of a request could not be read', error)
      return undefined
    }
  }
}

/** A proxy shares the properties of its object, and stands for the same request. */
function isSameObject(one: object | undefined, other: object): boolean {
  return one === other || isProxy(other) || isProxy(one)
}
