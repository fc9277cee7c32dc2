import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Analytics } from '@segment/analytics-node'
import type { TrackingConfig } from './config/config.js'
import { withUnusedKey } from './config/unsent.js'
import { validateConfig } from './config/validation.js'
import { openContext } from './context/ambient.js'
import { RequestRunner } from './context/request-runner.js'
import {
  analyticsOf,
  Client,
  Delivery,
  type Health,
  Ledger,
  limitsOf,
  sum,
  type TrackingStats,
  Unsettled,
  watchBooks,
} from './delivery/index.js'
import { Pipeline } from './destination/pipeline.js'
import { clientSettings } from './destination/settings.js'
import { standaloneOptions } from './destination/standalone.js'
import type { ResumeOptions } from './model/carried.js'
import { planJudge } from './model/plan.js'
import type { Sender } from './model/sender.js'
import type { ShutdownReport } from './model/shutdown-report.js'
import type { TimeoutOptions } from './model/timeout-options.js'
import type { Tracker } from './model/tracker.js'
import { Reporter } from './observe/reporter.js'
import { GlobalsReader } from './request/globals.js'
import { SenderReader } from './request/sender.js'
import { shutdownOnSignals } from './shutdown/on-signals.js'
import { Settling } from './shutdown/settling.js'
import type { SignalOptions } from './shutdown/signal-options.js'
import { makeDetachable, self } from './support/detachable.js'
import { openLog } from './support/log.js'
import { ConsentUpdates } from './tracker/consent-updates.js'
import { Dispatcher } from './tracker/dispatcher.js'
import { internals, type TrackingInternals } from './tracker/internals.js'
import { PlanGate } from './tracker/plan-gate.js'
import { Requests } from './tracker/requests.js'
import { Runs } from './tracker/runs.js'
import { Scopes } from './tracker/scopes.js'
import { TrackedEvents } from './tracker/tracked-events.js'

/** One tracking: the shared Segment client, and everything between a request and it. */
export interface Tracking {
  /**
   * The one client that all requests share. What is called on it directly is not in the books; `flush()` waits for it, and
   * the log and the shutdown's report tell of what does not arrive.
   */
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
   * Runs work outside of a request with a tracker of its own: a job, a webhook, a script. The tracker is ambient inside,
   * and its events go when the work has returned or its promise has settled. A shutdown waits for open runs.
   *
   * @param sender - Who tracks, and what they agreed to.
   * @returns What `work` returns; it throws what `work` throws, and awaits nothing.
   * @throws TypeError for a sender that cannot be one, for ids that are none, and for generators, whose body would run
   * after the end.
   *
   * @example
   * await tracking.run({ user: { id: invoice.userId }, consent: { analytics: true } }, async (tracker) => {
   *   await send(invoice)
   *   tracker.track('invoice send', { total: invoice.total })
   * })
   */
  run<T>(sender: Sender, work: (tracker: Tracker) => T): T
  /**
   * A tracker that has no end, for what lives long: a socket, a stream. Each of its events goes at once, and it holds
   * nothing but its sender.
   *
   * @throws TypeError for a sender that cannot be one.
   *
   * @example
   * const tracker = tracking.forSender({ user: { id: socket.userId }, consent: () => choicesOf(socket.userId) })
   * socket.on('message', () => tracker.track('message send'))
   */
  forSender(sender: Sender): Tracker
  /**
   * Goes on, in a job, with the person of the request that `tracker.carry()` was called in. What was carried may come from
   * anywhere: if it is malformed or wrongly signed, the work runs for nobody, and the log and `on.error` say so.
   *
   * A carried refusal stays. A grant that is older than `maxAge` (7 days) is unknown.
   *
   * @returns What `work` returns; it throws what `work` throws.
   * @throws TypeError for options that cannot work, and if `work` is no function.
   *
   * @example
   * queue.process((job) => tracking.resume(job.data.carried, (tracker) => tracker.track('invoice send')))
   */
  resume<T>(carried: unknown, work: (tracker: Tracker) => T, options?: ResumeOptions): T
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
  const complete = withUnusedKey(config)
  validateConfig(complete)
  return new RequestTracking(complete)
}

class RequestTracking implements Tracking {
  readonly [self] = this
  readonly segment: Analytics
  readonly [internals]: TrackingInternals
  readonly #ledger: Ledger
  readonly #delivery: Delivery
  readonly #requests: Requests
  readonly #runs: Runs
  readonly #settling: Settling
  readonly #reporter: Reporter

  constructor(config: TrackingConfig) {
    const { settings, env, request = {}, dispatch = 'always' } = config
    const logger = openLog(config.logger, config.id ?? 'reqtrack')
    const reporter = new Reporter(logger, config.on)
    const unsettled = new Unsettled(
      () => void this.#settling.finish(),
      () => this.#settling.ended(),
    )
    const ledger = new Ledger(unsettled)
    const fault = (message: string, error: unknown) => reporter.fault(message, error)
    const sender = new SenderReader(
      request,
      (reader, error) => fault(`the reader ${reader} failed and counts as having no answer`, error),
      (message) => logger.warn(message),
    )
    const globals = new GlobalsReader(config.globals, (reader, error) =>
      fault(`the reader ${reader} failed: the events of its request have no globals`, error),
    )
    const pipeline = new Pipeline(config, standaloneOptions(logger, fault, config.beforeSend))
    const client = clientSettings(settings)
    const limits = limitsOf(config.delivery)
    const delivery = new Delivery({
      ledger,
      logger,
      listener: {
        delivered: (call) => reporter.delivered(call),
        failed: (failed) => {
          pipeline.deduplication.forget(failed.call.remembered)
          reporter.failed(failed)
        },
      },
      limits,
      outbox: config.delivery?.outbox,
      writeKey: settings.writeKey,
      flushAt: client.flushAt,
      flushInterval: client.flushInterval,
      openClient: (outcomes, gate) =>
        env?.analytics
          ? new Client(env.analytics, outcomes)
          : Client.createUnref(client, outcomes, {
              gate,
              unsettled,
              observer: () => reporter.requestObserver,
            }),
    })
    const events = new TrackedEvents(
      ledger,
      reporter,
      config.disabled === true || settings.disable === true,
      limits,
    )
    const dispatcher = new Dispatcher({
      globals,
      pipeline,
      events,
      reporter,
      dispatch,
      plan: config.plan && new PlanGate(config.plan[planJudge], events, reporter),
      deliver: (call) => delivery.deliver(call),
    })
    const ambient = openContext(config.ambient, fault)
    const told = request.consentUpdates === true ? Object.keys(settings.consent ?? {}) : []
    const scopes = new Scopes({
      events,
      reporter,
      dispatcher,
      consentUpdates: new ConsentUpdates(new Set(told)),
      hasPlan: config.plan !== undefined,
      early: dispatch === 'always',
      waitUntil: config.waitUntil,
      flush: (timeout) => this.#settling.flush({ timeout }),
    })
    const runner = new RequestRunner(ambient)
    const requests = new Requests({
      scopes,
      sender,
      ambient,
      runner,
      pageViews: request.pageViews === true,
    })
    this.segment = analyticsOf(delivery.client)
    this.#ledger = ledger
    this.#delivery = delivery
    this.#requests = requests
    this.#runs = new Runs(scopes, ambient)
    this.#reporter = reporter
    this.#settling = new Settling({ scopes, dispatcher, delivery, ledger, reporter, unsettled })
    if (reporter.isDevelopment) {
      const counts = { open: () => scopes.countOpen(), pending: () => delivery.countPending() }
      watchBooks(ledger, counts, (difference) => reporter.booksDiffer(difference))
    }
    this[internals] = {
      attach: (framework, native, req, res) => requests.attach(framework, native, req, res),
      runRequest: (tracker, req, res, next) => runner.run(tracker, req, res, next),
      logger,
      hasPlan: config.plan !== undefined,
      fault,
      mistake: (problem) => reporter.mistake(problem),
      watch: (observer) => reporter.observation.watch(observer),
      settled: () => this.#settling.settled(),
      countOpen: () => scopes.countOpen(),
      countPending: () => delivery.countPending(),
      forgetPeople: () => pipeline.deduplication.clear(),
    }
  }

  current(): Tracker | undefined {
    return this.#requests.current()
  }

  stats(): TrackingStats {
    return this.#ledger.stats()
  }

  health(): Health {
    return this.#delivery.health()
  }

  flush(options?: TimeoutOptions): Promise<void> {
    return this.#settling.flush(options)
  }

  handle(req: IncomingMessage, res: ServerResponse): Tracker {
    return this.#requests.handle(req, res)
  }

  run<T>(sender: Sender, work: (tracker: Tracker) => T): T {
    return this.#runs.run(sender, work)
  }

  forSender(sender: Sender): Tracker {
    return this.#runs.forSender(sender)
  }

  resume<T>(carried: unknown, work: (tracker: Tracker) => T, options?: ResumeOptions): T {
    return this.#runs.resume(carried, work, options)
  }

  shutdown(options?: TimeoutOptions): Promise<ShutdownReport> {
    return this.#settling.shutdown(options)
  }

  shutdownOnSignals(options?: SignalOptions): () => void {
    return shutdownOnSignals(
      {
        closing: () => this.#reporter.closing(),
        shutdown: (timeout) => this.#settling.shutdown(timeout),
        failedCalls: () => sum(this.#ledger.stats().calls.failed) + this.#delivery.directFailed,
        logger: this.#reporter.logger,
      },
      options,
    )
  }
}

makeDetachable(RequestTracking.prototype, [
  'current',
  'stats',
  'health',
  'flush',
  'handle',
  'run',
  'forSender',
  'resume',
  'shutdown',
  'shutdownOnSignals',
])
