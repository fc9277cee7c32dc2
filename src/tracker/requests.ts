import type { IncomingMessage, ServerResponse } from 'node:http'
import { isProxy } from 'node:util/types'
import type { ContextAdapter } from '../context/ambient.js'
import type { RequestRunner } from '../context/request-runner.js'
import { aroundRun } from '../context/run-mark.js'
import type { Tracker } from '../model/tracker.js'
import { type EndListener, watchEnd } from '../request/end.js'
import { type Framework, MessageRequest, messageOf, nodeFramework } from '../request/message-request.js'
import { watchPage } from '../request/page-view.js'
import { ProxiedNode } from '../request/proxied-node.js'
import type { OutgoingResponse } from '../request/response-head.js'
import type { SenderReader } from '../request/sender.js'
import type { WebTracked } from '../request/web-request.js'
import { PropertyStore } from '../support/property-store.js'
import { problemOfMessages, standIns } from './node-messages.js'
import type { WaitUntil } from './platform-wait.js'
import { RequestTracker } from './request-tracker.js'
import { ScopeTracker } from './scope-tracker.js'
import type { Scopes } from './scopes.js'
import type { HandleOptions } from './tracking.js'

/** What requests are tracked with. */
export interface RequestsParts {
  readonly scopes: Scopes
  readonly sender: SenderReader
  readonly ambient: ContextAdapter
  readonly runner: RequestRunner
  /** Whether a Segment `page` is tracked for every page that is shown. */
  readonly pageViews: boolean
}

/** Gives each request its tracker, and watches for the request's end. */
export class Requests implements EndListener<RequestTracker> {
  readonly #parts: RequestsParts
  readonly #trackers = new PropertyStore(RequestTracker)
  readonly #proxied = new ProxiedNode()

  constructor(parts: RequestsParts) {
    this.#parts = parts
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
    const { scopes, sender } = this.#parts
    const tracker = new RequestTracker(scopes, sender, new MessageRequest(framework, native, req), res)
    this.#trackers.set(req, tracker)
    scopes.open.began()
    this.#watch(tracker, req, res)
    if (scopes.reporter.checks.request) this.#check(framework, native, req)
    return tracker
  }

  /**
   * The tracker of a web-standard request, the same one however often it is asked for. Nothing tells its end but whoever has
   * begun it: by {@link ended}, once.
   *
   * @param waitUntil - Tells the request's host what to wait for.
   */
  begin(request: WebTracked, response: OutgoingResponse, waitUntil: WaitUntil | undefined): RequestTracker {
    const known = this.#trackerOf(request.message)
    if (known) return known
    const { scopes, sender, pageViews } = this.#parts
    const tracker = new RequestTracker(scopes, sender, request, response)
    tracker.hostWaitUntil = waitUntil
    this.#trackers.set(request.message, tracker)
    scopes.open.began()
    if (pageViews) tracker.showedPage = watchPage(request, response, () => tracker.pageShown())
    return tracker
  }

  /**
   * The tracker of a request of Node's own server. Given something else, such as a web-standard `Request`, it logs what is
   * wrong and gives the tracker of a request that has ended.
   */
  handle(req: IncomingMessage, res: ServerResponse, options?: HandleOptions): RequestTracker {
    const problem = problemOfMessages(req, res)
    if (problem === undefined) return this.attach(this.#nodeUnder(options), req, req, res)
    const { scopes, sender } = this.#parts
    scopes.reporter.misused(`tracking.handle() was given ${problem}`, this.handle)
    const { request, response } = standIns()
    const message = new MessageRequest(nodeFramework, request, request)
    const tracker = new RequestTracker(scopes, sender, message, response)
    scopes.open.began()
    this.ended(tracker, undefined)
    return tracker
  }

  /** What reads Node's requests behind the proxies that are trusted; a wrong setting trusts none. */
  #nodeUnder(options: HandleOptions | undefined): Framework<IncomingMessage> {
    if (options?.trustProxy === undefined) return nodeFramework
    try {
      return this.#proxied.under(options.trustProxy)
    } catch (error) {
      const problem = error instanceof TypeError ? error.message : 'a `trustProxy` that cannot be read'
      this.#parts.scopes.reporter.mistake(`tracking.handle() trusts no proxy: ${problem}`)
      return this.#proxied.under(false)
    }
  }

  /**
   * The tracker of the running scope. Trackings, and copies of this package, share a context: its tracker tells what runs,
   * and this tracking's own tracker of that, or of what is around it, goes first.
   */
  current(): Tracker | undefined {
    const running = this.#parts.ambient.get()
    for (let each = running; each; each = aroundRun(each)) {
      const own = this.#ownOf(each)
      if (own) return own
    }
    return running
  }

  ended(tracker: RequestTracker, status: number | undefined): void {
    const { scopes } = this.#parts
    try {
      scopes.open.ended(tracker)
      if (status !== undefined && tracker.showedPage?.(status)) tracker.pageViewed()
      scopes.settle(tracker, { status, aborted: status === undefined })
      this.#parts.runner.ended(tracker)
    } catch (error) {
      // An exception in an event listener would end the process.
      scopes.reporter.fault('the end of a request could not be handled', error)
    }
  }

  /** Kept separate: a function that contains a closure allocates for it on every call. */
  #check<Native>(framework: Framework<Native>, native: Native, req: IncomingMessage): void {
    this.#parts.scopes.reporter.checks.request?.(() => ({
      isForwarded: req.headers['x-forwarded-for'] !== undefined,
      namesProxies: framework.namesProxies(native),
    }))
  }

  #watch(tracker: RequestTracker, req: IncomingMessage, res: ServerResponse): void {
    try {
      if (this.#parts.pageViews) {
        tracker.showedPage = watchPage(tracker.request, res, () => tracker.pageShown())
      }
      watchEnd(req, res, tracker, this)
    } catch (error) {
      // The request's events go at once rather than never.
      this.#parts.scopes.reporter.fault('the end of a request cannot be watched', error)
      this.ended(tracker, undefined)
    }
  }

  #ownOf(tracker: Tracker): Tracker | undefined {
    const message = messageOf(tracker)
    if (message) return this.#trackerOf(message)
    return tracker instanceof ScopeTracker && tracker.isOf(this.#parts.scopes) ? tracker : undefined
  }

  /** A request that was made by copying another has the other's tracker on it: it is not its own. */
  #trackerOf(message: object): RequestTracker | undefined {
    const found = this.#trackers.get(message)
    return found && isSameObject(messageOf(found), message) ? found : undefined
  }
}

/** A proxy shares the properties of its object, and stands for the same request. */
function isSameObject(one: object | undefined, other: object): boolean {
  return one === other || isProxy(other) || isProxy(one)
}
