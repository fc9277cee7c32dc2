import type { Logger } from '@walkeros/core'
import type { FailureReason } from '../model/failure.js'
import { Burst, nameOf } from '../support/log.js'
import type { CallSummary } from './client-calls.js'
import { messageOf } from './failure.js'
import type { GateState } from './gate.js'
import { type Health, HealthState } from './health.js'

/** What a delivery says of itself: in the log, once a burst, and in its health. */
export class DeliveryReport {
  readonly #logger: Logger.Instance
  readonly #losses: Burst
  readonly #outages: Burst
  readonly #outboxProblems: Burst
  readonly #storeProblems = new Map<string, Burst>()
  readonly #clientProblems: Burst
  readonly #state = new HealthState()
  #lastLoss: string | undefined
  #outboxError: string | undefined
  /** What is wrong with what is stored: it stays wrong when the outbox answers again. */
  #storeError: string | undefined

  constructor(logger: Logger.Instance) {
    this.#logger = logger
    const error = (message: string, context: Record<string, unknown>) => logger.error(message, context)
    this.#losses = new Burst(error)
    this.#outboxProblems = new Burst(error)
    this.#clientProblems = new Burst(error)
    this.#outages = new Burst((message, context) => logger.warn(message, context))
  }

  /** A call has failed for good. */
  failed(type: string, reason: FailureReason, detail: string | undefined): void {
    this.#lastLoss = detail ?? reason
    this.#losses.say('a call was not delivered to Segment', { type, reason, detail })
  }

  /** Stored calls are lost; nobody can say which. */
  lost(count: number): void {
    this.#outboxProblems.say('calls are lost with the outbox', { calls: count })
  }

  /** A call that the application made on the client itself has failed. */
  directFailed({ type }: CallSummary, reason: unknown): void {
    this.#lastLoss = messageOf(reason)
    this.#losses.say('a call that was made on tracking.segment was not delivered to Segment', {
      type,
      reason: messageOf(reason),
    })
  }

  /** The client itself has a problem, or a listener on its events has. */
  clientFailed(problem: string, error: unknown): void {
    this.#clientProblems.say(problem, { error: nameOf(error) })
  }

  /** The outbox has a problem. */
  outboxFailed(problem: string, error: unknown): void {
    this.#outboxError = error === undefined ? problem : `${problem}: ${messageOf(error)}`
    this.#outboxProblems.say(problem, { error: messageOf(error) })
  }

  /** The outbox did not answer, and does so again. */
  outboxAnswers(): void {
    this.#outboxError = undefined
    this.#logger.info('the outbox answers again: calls are stored')
  }

  /** The outbox keeps calls in its second place, or, without an error, where it should again. */
  outboxDegraded(error: unknown): void {
    if (error === undefined) return this.outboxAnswers()
    this.outboxFailed('the outbox does not answer: calls go to its fallback until it does', error)
  }

  /** There is a problem with what ended processes have left in the outbox: each kind has its own line. */
  storeDamaged(problem: string, error: unknown, lost: number): void {
    this.#storeError = error === undefined ? problem : `${problem}: ${messageOf(error)}`
    const known = this.#storeProblems.get(problem)
    const burst = known ?? new Burst((message, context) => this.#logger.error(message, context))
    if (!known) this.#storeProblems.set(problem, burst)
    burst.say(problem, { ...(error !== undefined && { error: messageOf(error) }), ...(lost > 0 && { lost }) })
  }

  /** The gate has changed its state. */
  gateChanged(state: GateState, pending: number, error: string | undefined): void {
    this.#state.set(state)
    if (state === 'refused' && error?.startsWith('OAuth')) {
      this.#logger.error(
        'the OAuth server refuses this client: nothing is sent until it is accepted. Check settings.oauthSettings',
        { pending, error },
      )
    } else if (state === 'refused') {
      this.#logger.error(
        'Segment refuses the write key: nothing is sent until it is accepted. Check settings.writeKey ' +
          '(Connections > Sources > Settings > API Keys) and settings.host (the EU has its own)',
        { pending },
      )
    } else if (state === 'retrying') {
      this.#outages.say('Segment cannot be reached: calls wait', { pending })
    } else this.#logger.info('Segment takes calls again', { pending })
  }

  /** The delivery is closed. */
  closed(): void {
    this.#state.set('closed')
  }

  /**
   * The health of the delivery.
   *
   * @param gateError - The last failure of a request.
   */
  health(now: Pick<Health, 'pending' | 'oldestPendingMs'>, gateState: GateState, gateError?: string): Health {
    const lastTrouble = gateState === 'ok' ? (this.#lastLoss ?? gateError) : gateError
    return this.#state.health({ ...now, lastError: this.#outboxError ?? this.#storeError ?? lastTrouble })
  }
}
