import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Analytics } from '@segment/analytics-node'
import type { TrackingConfig } from './config/config.js'
import { withoutRequests } from './config/dry-run.js'
import { selfCheckFacts } from './config/self-check-facts.js'
import { withUnusedKey } from './config/unsent.js'
import { validateConfig } from './config/validation.js'
import { openContext } from './context/ambient.js'
import { RequestRunner } from './context/request-runner.js'
import {
  analyticsOf,
  type Delivery,
  type Health,
  Ledger,
  limitsOf,
  openDelivery,
  sum,
  type TrackingStats,
  Unsettled,
  watchBooks,
} from './delivery/index.js'
import { categoriesOf } from './destination/consent.js'
import { People } from './destination/people.js'
import { Pipeline } from './destination/pipeline.js'
import { clientSettings } from './destination/settings.js'
import { standaloneOptions } from './destination/standalone.js'
import type { ResumeOptions } from './model/carried.js'
import { planJudge } from './model/plan.js'
import type { Sender } from './model/sender.js'
import type { ShutdownReport } from './model/shutdown-report.js'
import type { SignalOptions } from './model/signal-options.js'
import type { TimeoutOptions } from './model/timeout-options.js'
import type { Tracker } from './model/tracker.js'
import { openDevelopmentLog } from './observe/development-log.js'
import { Reporter } from './observe/reporter.js'
import { SelfCheck } from './observe/self-check/index.js'
import { GlobalsReader } from './request/globals.js'
import { SenderReader } from './request/sender.js'
import { shutdownOnSignals } from './shutdown/on-signals.js'
import { Settling } from './shutdown/settling.js'
import { setImmediate } from './support/clock.js'
import { makeDetachable, self } from './support/detachable.js'
import { openLog, openWarningLog } from './support/log.js'
import { CallOutcomes } from './tracker/call-outcomes.js'
import { ConsentUpdates } from './tracker/consent-updates.js'
import { Dispatcher } from './tracker/dispatcher.js'
import { EventWay } from './tracker/event-way.js'
import { HandOver } from './tracker/hand-over.js'
import { internals, type TrackingInternals } from './tracker/internals.js'
import { PlanGate } from './tracker/plan-gate.js'
import { Requests } from './tracker/requests.js'
import { Runs } from './tracker/runs.js'
import { ScopeSenders } from './tracker/scope-senders.js'
import { Scopes } from './tracker/scopes.js'
import { TrackedEvents } from './tracker/tracked-events.js'
import type { HandleOptions, Tracking } from './tracker/tracking.js'

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
  return new RequestTracking(withoutRequests(complete))
}

class RequestTracking implements Tracking {
  readonly [self] = this
  readonly [internals]: TrackingInternals
  readonly #ledger: Ledger
  readonly #delivery: Delivery
  readonly #requests: Requests
  readonly #runs: Runs
  readonly #settling: Settling
  readonly #reporter: Reporter
  readonly #isDisabled: boolean

  constructor(config: TrackingConfig) {
    const { settings, env, request = {}, dispatch = 'always' } = config
    const logger = openLog(config.logger, config.id ?? 'reqtrack')
    const checks = new SelfCheck(
      selfCheckFacts(config),
      openWarningLog(config.logger, config.id ?? 'reqtrack'),
    )
    const reporter = new Reporter(logger, checks, config.on)
    openDevelopmentLog(reporter, config.logger)
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
      checks.answer,
    )
    const globals = new GlobalsReader(config.globals, (reader, error) =>
      fault(`the reader ${reader} failed: the events of its request have no globals`, error),
    )
    const people = config.memory ? People.of(config.memory, settings.writeKey, logger) : new People()
    const pipeline = new Pipeline(config, standaloneOptions(logger, fault, config.beforeSend, people))
    const limits = limitsOf(config.delivery, settings.flushAt)
    const delivery = openDelivery({
      client: clientSettings(settings),
      analytics: env?.analytics,
      options: config.delivery,
      limits,
      ledger,
      logger,
      listener: new CallOutcomes(reporter, people),
      unsettled,
      observer: () => reporter.requestObserver,
    })
    const isDisabled = config.disabled === true || settings.disable === true
    const events = new TrackedEvents(ledger, reporter, isDisabled, limits)
    const senders = new ScopeSenders(globals, reporter)
    const way = new EventWay({
      pipeline,
      events,
      reporter,
      dispatch,
      plan: config.plan && new PlanGate(config.plan[planJudge], events, reporter),
      handOver: new HandOver({ events, reporter, people, delivery }),
      writeKey: settings.writeKey,
    })
    const dispatcher = new Dispatcher(senders, way)
    const ambient = openContext(config.ambient, fault)
    const scopes = new Scopes({
      events,
      reporter,
      dispatcher,
      senders,
      consentUpdates: new ConsentUpdates(request.consentUpdates === true ? (settings.consent ?? {}) : {}),
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
    this.#isDisabled = isDisabled
    this.#ledger = ledger
    this.#delivery = delivery
    this.#requests = requests
    this.#runs = new Runs(scopes, ambient)
    this.#reporter = reporter
    this.#settling = new Settling({ scopes, dispatcher, people, delivery, ledger, reporter, unsettled })
    if (reporter.isDevelopment) {
      const counts = { open: () => scopes.countOpen(), pending: () => delivery.countPending() }
      watchBooks(ledger, counts, (difference) => reporter.booksDiffer(difference))
    }
    this[internals] = {
      attach: (framework, native, req, res) => requests.attach(framework, native, req, res),
      begin: (request, response, waitUntil) => requests.begin(request, response, waitUntil),
      ended: (tracker, status) => requests.ended(tracker, status),
      runRequest: (tracker, req, res, next) => runner.run(tracker, req, res, next),
      runPart: (tracker, part) => runner.runPart(tracker, part),
      logger,
      hasPlan: config.plan !== undefined,
      plans: (event, direct) => config.plan?.[planJudge].plans(event, direct) === true,
      consentCategories: categoriesOf(settings.consent ?? {}),
      fault,
      mistake: (problem) => reporter.mistake(problem),
      watch: (observer) => reporter.observation.watch(observer),
      settled: () => this.#settling.settled(),
      countOpen: () => scopes.countOpen(),
      countPending: () => delivery.countPending(),
      waiting: () => delivery.waiting(),
      forgetPeople: () => people.local.clear(),
    }
  }

  get segment(): Analytics {
    return analyticsOf(this[self].#delivery.client)
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

  handle(req: IncomingMessage, res: ServerResponse, options?: HandleOptions): Tracker {
    return this.#requests.handle(req, res, options)
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
    // A process that waits for signals lives long: it loads the SDK before its first requests come, not among them.
    if (!this.#isDisabled) setImmediate(() => this.#delivery.openClient())
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
