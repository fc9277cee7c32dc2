import type { IncomingMessage, ServerResponse } from 'node:http'
import { Analytics } from '@segment/analytics-node'
import type { Logger, Mapping, WalkerOS } from '@walkeros/core'
import type { TrackingConfig } from './config/config.js'
import { validateConfig } from './config/validation.js'
import { type ContextAdapter, contained, noContext, processContext } from './context/ambient.js'
import {
  Client,
  channels,
  Delivery,
  type Health,
  Ledger,
  limitsOf,
  sum,
  type TrackingStats,
} from './delivery/index.js'
import { Unsettled } from './delivery/process-end.js'
import { Pipeline } from './destination/pipeline.js'
import { clientSettings } from './destination/settings.js'
import type { DroppedEvent } from './model/drop.js'
import type { GivenEvent, PartialEvent } from './model/event.js'
import type { ShutdownReport } from './model/shutdown-report.js'
import type { Tracker } from './model/tracker.js'
import { Callbacks } from './observe/callbacks.js'
import { DevelopmentHints } from './observe/development-hints.js'
import { Observation } from './observe/observation.js'
import type { Observer, RequestReport } from './observe/step.js'
import { type EndListener, watchEnd } from './request/end.js'
import { type Framework, MessageRequest, messageOf, nodeFramework } from './request/message-request.js'
import { watchPage } from './request/page-view.js'
import { SenderReader } from './request/sender.js'
import { type SignalOptions, shutdownOnSignals } from './shutdown/on-signals.js'
import { KeptOn } from './support/kept-on.js'
import { Burst, nameOf, openLog } from './support/log.js'
import { after, answerWithin, isPromise, timerMs } from './support/maybe.js'
import { Dispatcher } from './tracker/dispatcher.js'
import { OpenRequests } from './tracker/open-requests.js'
import { RequestTracker, type TrackerHost } from './tracker/request-tracker.js'

const DEFAULT_TIMEOUT_MS = 5_000
/** Milliseconds that an asynchronous function of the mapping may take. */
const FUNCTION_TIMEOUT_MS = 2_000
/** Of a deadline that open requests use up, so much is left to deliver their events: a quarter, at most this. */
const MOST_RESERVED_MS = 2_000

/** How long something may take. */
export interface TimeoutOptions {
  /** Milliseconds. Defaults to 5000. */
  timeout?: number
}

/** One tracking: the shared Segment client, and everything between a request and it. */
export interface Tracking {
  /** The one client that all requests share. What is called on it directly is not in the books. */
  readonly segment: Analytics
  /**
   * The running request's tracker, from anywhere below the middleware; `undefined` outside of a request. All trackings of
   * a process share the context: where only another one is mounted on the request, it is that one's tracker.
   */
  current(): Tracker | undefined
  /** What became of every event and every call so far: a plain snapshot. */
  stats(): TrackingStats
  /** Whether calls get through, fit for a readiness page. */
  health(): Health
  /**
   * Waits until every call made before has its outcome, or the time is over. Never rejects, and can be called any number
   * of times at once.
   */
  flush(options?: TimeoutOptions): Promise<void>
  /**
   * Hands out the tracker of a request of Node's HTTP server: the same one however often it is asked for. The end of the
   * request is watched from the first time on.
   *
   * @example
   * createServer((req, res) => {
   *   tracking.handle(req, res).track('page view')
   *   res.end('ok')
   * })
   */
  handle(req: IncomingMessage, res: ServerResponse): Tracker
  /**
   * Lets open requests and background work finish, delivers what they tracked, and closes the client. Never rejects and
   * never exits; later calls get the same promise. What is tracked afterwards is dropped with the reason `closed`.
   */
  shutdown(options?: TimeoutOptions): Promise<ShutdownReport>
  /**
   * Shuts the process down when it is told to end: closes the servers, finishes open requests, delivers their events,
   * exits.
   *
   * @returns What takes the hook away.
   *
   * @example
   * const server = app.listen(3000)
   * tracking.shutdownOnSignals({ server })
   */
  shutdownOnSignals(options?: SignalOptions): () => void
}

/** The key of what adapters and the inspector need of a tracking; shared by the ESM and the CommonJS build. */
export const internals = Symbol.for('reqtrack.internals.1')

/** What adapters and the inspector need of a tracking. */
export interface TrackingInternals {
  /** The tracker of a framework's request, its end being watched. */
  attach<Native>(
    framework: Framework<Native>,
    native: Native,
    req: IncomingMessage,
    res: ServerResponse,
  ): RequestTracker
  readonly ambient: ContextAdapter
  readonly logger: Logger.Instance
  /** Tells the application of something of its own that failed. */
  fault(message: string, error: unknown): void
  /**
   * Begins to watch the way of every event.
   *
   * @returns What ends it.
   */
  watch(observer: Observer): () => void
  /** Resolves when no request is open, no background work goes on, and every event and call has its outcome. */
  settled(): Promise<void>
  /** Forgets whom Segment has been told about, so that `identify` and `group` fire again. */
  forgetPeople(): void
}

/**
 * Makes a tracking: validates the config, makes the one Segment client, and compiles the mapping. Once per process is
 * what most applications need; apps, routers and requests share it.
 *
 * @param config - The walkerOS destination config, and how requests are read and calls delivered.
 * @throws One error that lists every problem of the config.
 *
 * @example
 * const tracking = createTracking({
 *   settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '' },
 *   mapping: { order: { complete: { name: 'Order Completed' } } },
 * })
 * app.use(expressTracking(tracking))
 */
export function createTracking(config: TrackingConfig): Tracking {
  validateConfig(config)
  return new RequestTracking(config)
}

class RequestTracking implements Tracking, TrackerHost, EndListener<RequestTracker> {
  readonly sender: SenderReader
  readonly segment: Analytics
  readonly [internals]: TrackingInternals
  readonly #logger: Logger.Instance
  readonly #callbacks: Callbacks
  readonly #unsettled = new Unsettled(() => void this.#finish())
  readonly #ledger = new Ledger(this.#unsettled)
  readonly #observation = new Observation()
  readonly #open = new OpenRequests()
  readonly #trackers = new KeptOn(RequestTracker)
  readonly #ambient: ContextAdapter
  readonly #dispatcher: Dispatcher
  readonly #delivery: Delivery
  readonly #disabled: boolean
  readonly #pageViews: boolean
  /** The consent keys whose changes Segment is told of. */
  readonly #toldConsent: ReadonlySet<string>
  readonly #bursts = new Map<string, Burst>()
  readonly #hints: DevelopmentHints | undefined
  readonly #requested = (report: RequestReport) => this.#observation.tell?.({ type: 'request', ...report })
  #closed = false
  #shutdown: Promise<ShutdownReport> | undefined

  constructor(config: TrackingConfig) {
    const { settings, env, request = {} } = config
    this.#logger = openLog(config.logger, config.id ?? 'reqtrack')
    this.#disabled = config.disabled === true || settings.disable === true
    this.#pageViews = request.pageViews === true
    this.#toldConsent = new Set(request.consentUpdates === true ? Object.keys(settings.consent ?? {}) : [])
    this.#hints =
      process.env.NODE_ENV === 'development'
        ? new DevelopmentHints((message) => this.#logger.error(message))
        : undefined
    this.#callbacks = new Callbacks(config.on ?? {}, (name, error) =>
      this.#onceABurst(`the callback on.${name} failed`, { error: nameOf(error) }),
    )
    this.sender = new SenderReader(request, (reader, error) =>
      this.#fault(`the reader ${reader} failed and counts as having no answer`, error),
    )
    this.#ambient = this.#contextOf(config.ambient)
    const pipeline = new Pipeline(config, {
      scope: {
        collector: noCollector(this.#logger),
        logger: this.#logger,
        plain: true,
        functions: {
          limitMs: FUNCTION_TIMEOUT_MS,
          failed: (problem, event, error) => this.#fault(`${problem}: event ${JSON.stringify(event)}`, error),
        },
      },
      dataAsProperties: true,
    })
    const client = clientSettings(settings)
    this.#delivery = new Delivery({
      ledger: this.#ledger,
      logger: this.#logger,
      listener: {
        delivered: (call) => {
          this.#observation.tell?.({ type: 'delivered', call })
          this.#callbacks.delivered({ call })
        },
        failed: (failed) => {
          if (failed.call.remembered) pipeline.deduplication.forget(failed.call.remembered)
          this.#observation.tell?.({ type: 'failed', ...failed })
          this.#callbacks.failed(failed)
        },
      },
      limits: limitsOf(config.delivery),
      outbox: config.delivery?.outbox,
      flushAt: client.flushAt,
      flushInterval: client.flushInterval,
      openClient: (outcomes, gate) =>
        env?.analytics
          ? new Client(env.analytics, outcomes)
          : Client.createUnheld(client, outcomes, {
              gate,
              unsettled: this.#unsettled,
              observer: () => this.#observation.tell && this.#requested,
            }),
    })
    this.segment = analyticsOf(this.#delivery.client)
    this.#dispatcher = new Dispatcher({
      sender: this.sender,
      pipeline,
      observation: this.#observation,
      dispatch: config.dispatch ?? 'always',
      deliver: (call) => this.#delivery.deliver(call),
      dispatched: (deduplicated) => this.#ledger.dispatched(deduplicated),
      dropped: (tracker, event, messageId, reason, required) =>
        this.#drop(tracker, event, messageId, reason, required),
      failed: (error, event) =>
        this.#fault(`the event ${JSON.stringify(event)} could not be dispatched`, error),
    })
    this[internals] = {
      attach: (framework, native, req, res) => this.#attach(framework, native, req, res),
      ambient: this.#ambient,
      logger: this.#logger,
      fault: (message, error) => this.#fault(message, error),
      watch: (observer) => this.#observation.watch(observer),
      settled: () => this.#settled(),
      forgetPeople: () => pipeline.deduplication.clear(),
    }
  }

  current(): Tracker | undefined {
    // Trackings, and copies of this package, share a context: its tracker tells which request runs. Ours goes first.
    const running = this.#ambient.get()
    const message = running && messageOf(running)
    return (message && this.#trackers.get(message)) ?? running
  }

  stats(): TrackingStats {
    return this.#ledger.stats()
  }

  health(): Health {
    return this.#delivery.health()
  }

  async flush(options?: TimeoutOptions): Promise<void> {
    const timeoutMs = timerMs(options?.timeout, DEFAULT_TIMEOUT_MS)
    const deadline = performance.now() + timeoutMs
    await answerWithin(this.#dispatcher.idle(), timeoutMs)
    await this.#delivery.flush(Math.max(0, deadline - performance.now()))
  }

  handle(req: IncomingMessage, res: ServerResponse): Tracker {
    return this.#attach(nodeFramework, req, req, res)
  }

  shutdown(options?: TimeoutOptions): Promise<ShutdownReport> {
    if (!this.#shutdown) this.#observation.tell?.({ type: 'closing' })
    this.#shutdown ??= this.#close(timerMs(options?.timeout, DEFAULT_TIMEOUT_MS))
    return this.#shutdown
  }

  shutdownOnSignals(options?: SignalOptions): () => void {
    const hooked = {
      closing: () => this.#observation.tell?.({ type: 'closing' }),
      shutdown: (timeout: TimeoutOptions) => this.shutdown(timeout),
      failedCalls: () => sum(this.#ledger.stats().calls.failed),
      logger: this.#logger,
    }
    return shutdownOnSignals(hooked, options)
  }

  refusal(): 'closed' | 'disabled' | undefined {
    if (this.#disabled) return 'disabled'
    return this.#closed ? 'closed' : undefined
  }

  tracked(): void {
    this.#ledger.tracked()
  }

  collected(tracker: RequestTracker, { collected }: Parameters<TrackerHost['collected']>[1]): void {
    if (!tracker.outcome) this.#open.collected(tracker)
    this.#observation.tell?.({
      type: 'tracked',
      request: tracker.number,
      event: collected.messageId,
      name: collected.name,
      timestamp: collected.timestamp,
      method: collected.direct?.type,
    })
  }

  dropped(...[tracker, event, reason, messageId = '']: Parameters<TrackerHost['dropped']>): void {
    this.#drop(tracker, readable(event), messageId, reason)
  }

  misused(problem: string, caller: (...args: never[]) => unknown): void {
    this.#onceABurst(problem, process.env.NODE_ENV === 'development' ? { stack: stackBelow(caller) } : {})
    this.#callbacks.error(new TypeError(problem))
  }

  failed(...[tracker, event, error]: Parameters<TrackerHost['failed']>): void {
    this.#fault('an event could not be collected', error)
    this.dropped(tracker, event, 'error')
  }

  incomplete(name: string, problem: string): void {
    this.#onceABurst(`event ${JSON.stringify(name.slice(0, 60))}: ${problem}`, {})
  }

  /** Tells Segment of a choice that the handler said and neither the request nor the handler had said before. */
  chosen(tracker: RequestTracker, chosen: WalkerOS.Consent, before: WalkerOS.Consent = {}): void {
    const keys = Object.keys(chosen).filter((key) => this.#toldConsent.has(key))
    if (keys.length === 0) return
    const update = tracker.inScope(() =>
      after(this.sender.consent(tracker.request), ({ state }) => {
        const known = { ...state, ...before }
        if (keys.some((key) => chosen[key] !== known[key])) tracker.consentUpdated()
      }),
    )
    if (isPromise(update)) this.#open.working(update)
  }

  ended(tracker: RequestTracker, status: number | undefined): void {
    try {
      this.#open.ended(tracker)
      if (status !== undefined && tracker.showedPage?.(status)) {
        const properties = this.sender.pageProperties(tracker.request)
        tracker.inScope(() => tracker.pageViewed(properties))
      }
      this.#settle(tracker, status)
    } catch (error) {
      // What is thrown in the listener of an event ends the process.
      this.#fault('the end of a request could not be handled', error)
    }
  }

  ready(tracker: RequestTracker): void {
    this.#dispatcher.ready(tracker)
  }

  working(work: PromiseLike<unknown>): void {
    this.#open.working(work)
  }

  #contextOf(given: TrackingConfig['ambient']): ContextAdapter {
    if (given === false) return noContext
    if (given === undefined) return processContext()
    return contained(given, (error) =>
      this.#fault('the adapter of `ambient` failed: the request has no ambient tracker', error),
    )
  }

  #attach<Native>(
    framework: Framework<Native>,
    native: Native,
    req: IncomingMessage,
    res: ServerResponse,
  ): RequestTracker {
    const known = this.#trackers.get(req)
    if (known) return known
    const tracker = new RequestTracker(this, new MessageRequest(framework, native, req), res)
    this.#trackers.set(req, tracker)
    this.#open.began()
    this.#watch(tracker, req, res)
    return tracker
  }

  #watch(tracker: RequestTracker, req: IncomingMessage, res: ServerResponse): void {
    try {
      if (this.#pageViews) {
        tracker.showedPage = watchPage(tracker.request, res, () => tracker.pageShown())
      }
      watchEnd(req, res, tracker, this)
    } catch (error) {
      // Its events go at once rather than never.
      this.#fault('the end of a request cannot be watched', error)
      this.ended(tracker, undefined)
    }
  }

  /** @param status - The response's, or `undefined` where it was aborted. */
  #settle(tracker: RequestTracker, status: number | undefined): void {
    if (tracker.outcome) return
    const aborted = status === undefined
    let route: string | undefined
    try {
      route = tracker.request.route
    } catch (error) {
      this.#fault('the route of a request could not be read', error)
    }
    tracker.outcome = { status, aborted, route, durationMs: performance.now() - tracker.startedMark }
    this.#observation.tell?.({
      type: 'ended',
      request: tracker.number,
      outcome: tracker.outcome,
      tracked: tracker.request,
      who: () => this.#dispatcher.who(tracker),
    })
    if (tracker.chosenConsent) this.chosen(tracker, tracker.chosenConsent)
    if (tracker.hasEvents) this.#dispatcher.ready(tracker)
  }

  async #settled(): Promise<void> {
    do {
      // What ends can leave work behind, work can track, and what is dispatched can wait for readers.
      await this.#open.drained()
      await this.#dispatcher.idle()
      await this.#delivery.flush(DEFAULT_TIMEOUT_MS)
    } while (!this.#open.isDrained || !this.#dispatcher.isIdle || this.#ledger.stats().calls.pending > 0)
  }

  async #close(timeoutMs: number): Promise<ShutdownReport> {
    const startedAt = performance.now()
    const deadline = startedAt + timeoutMs
    const left = () => Math.max(0, deadline - performance.now())
    const drained = this.#open.drained().then(() => true)
    const inTime = await answerWithin(drained, timeoutMs - Math.min(MOST_RESERVED_MS, timeoutMs / 4))
    for (const tracker of this.#open.collecting()) this.#settle(tracker, undefined)
    this.#closed = true
    const dispatched = await answerWithin(
      this.#dispatcher.idle().then(() => true),
      left(),
    )
    const before = this.#ledger.stats()
    const { lost: pending, kept } = await this.#delivery.close(left())
    const { events, calls } = this.#ledger.stats()
    const report: ShutdownReport = {
      delivered: calls.delivered,
      failed: sum(calls.failed) - pending,
      dropped: sum(events.dropped),
      pending,
      kept,
      durationMs: Math.round(performance.now() - startedAt),
      timedOut: !inTime || !dispatched || pending > 0,
    }
    const lost = sum(calls.failed) - sum(before.calls.failed)
    if (lost > 0 || report.timedOut) this.#logger.error('tracking was shut down with losses', report)
    else this.#logger.info('tracking was shut down', report)
    this.#callbacks.shutdown(report)
    return report
  }

  /** Nothing else keeps the process alive: what is under way gets its chance, and what does not arrive is reported. */
  async #finish(): Promise<void> {
    const deadline = performance.now() + DEFAULT_TIMEOUT_MS
    await this.flush({ timeout: DEFAULT_TIMEOUT_MS - MOST_RESERVED_MS })
    if (this.#unsettled.count > 0) await this.shutdown({ timeout: Math.max(0, deadline - performance.now()) })
  }

  #drop(
    tracker: RequestTracker,
    event: DroppedEvent['event'],
    messageId: string,
    reason: DroppedEvent['reason'],
    required?: DroppedEvent['required'],
  ): void {
    this.#ledger.dropped(reason)
    this.#observation.tell?.({
      type: 'dropped',
      request: tracker.number,
      event: messageId,
      name: event.name,
      reason,
    })
    const dropped = { event, reason, ...(required && { required }) }
    if (channels.dropped.hasSubscribers) channels.dropped.publish(dropped)
    this.#hints?.dropped(dropped)
    this.#callbacks.dropped(dropped)
  }

  #fault(message: string, error: unknown): void {
    this.#onceABurst(message, { error })
    this.#callbacks.error(error)
  }

  #onceABurst(problem: string, context: Record<string, unknown>): void {
    let burst = this.#bursts.get(problem)
    if (!burst) {
      // Problems quote names, and a name made from a visitor's words would fill the memory.
      if (this.#bursts.size >= 100) this.#bursts.clear()
      burst = new Burst((message, details) => this.#logger.error(message, details))
      this.#bursts.set(problem, burst)
    }
    burst.say(problem, context)
  }
}

/** A copy of an event as it was given; an empty one where a member of it throws. */
function readable(event: GivenEvent): PartialEvent {
  try {
    const { name, ...rest } = event
    return typeof name === 'string' ? { ...rest, name } : rest
  } catch {
    return {}
  }
}

/** The stack from the call of a function downwards: where the application called it. */
function stackBelow(caller: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, caller)
  return holder.stack
}

/** Mapping functions are promised a collector: here it holds no one's user and no one's consent. */
function noCollector(logger: Logger.Instance): Mapping.Context['collector'] {
  const collector = {
    consent: Object.freeze({}),
    globals: Object.freeze({}),
    user: Object.freeze({}),
    logger,
  }
  return Object.freeze(collector) as never
}

/** A stand-in is what the application put in the client's place; it knows what its methods are. */
function analyticsOf(client: object): Analytics {
  return client instanceof Analytics ? client : (client as Analytics)
}
