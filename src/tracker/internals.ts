import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@walkeros/core'
import type { Waiting } from '../delivery/index.js'
import type { PlanJudge } from '../model/plan.js'
import type { Tracker } from '../model/tracker.js'
import type { Observer } from '../observe/step.js'
import type { Framework } from '../request/message-request.js'
import type { OutgoingResponse } from '../request/response-head.js'
import type { WebTracked } from '../request/web-request.js'
import type { WaitUntil } from './platform-wait.js'
import type { RequestTracker } from './request-tracker.js'

/** The key under which a tracking keeps its {@link TrackingInternals}; the ESM and the CommonJS build share it. */
export const internals = Symbol.for('reqtrack.internals.1')

/** What adapters, the inspector and the test kit need of a tracking. */
export interface TrackingInternals {
  /** Gives a framework's request its tracker, and watches the request's end. */
  attach<Native>(
    framework: Framework<Native>,
    native: Native,
    req: IncomingMessage,
    res: ServerResponse,
  ): RequestTracker
  /** Gives a web-standard request its tracker; whoever begins it tells its end. */
  begin(request: WebTracked, response: OutgoingResponse, waitUntil: WaitUntil | undefined): RequestTracker
  /** A request that was begun has ended: with the status of its response, or without one if it was aborted. */
  ended(tracker: RequestTracker, status: number | undefined): void
  /** Runs the rest of a request's way through the application, with the request's tracker as the ambient one. */
  runRequest<T>(tracker: Tracker, req: IncomingMessage, res: ServerResponse, next: () => T): T
  /** Runs a part of a request's way with its tracker as the ambient one: a hook that comes from an event of Node's. */
  runPart<T>(tracker: Tracker, part: () => T): T
  readonly logger: Logger.Instance
  /** Whether there is a tracking plan. */
  readonly hasPlan: boolean
  /** Whether the tracking plan, if there is one, has a schema for an event. */
  readonly plans: PlanJudge['plans']
  /** The keys of `settings.consent`, and the categories of Segment that they stand for. */
  readonly consentCategories: readonly (readonly [key: string, category: string])[]
  /** Reports that the application's own code failed. */
  fault(message: string, error: unknown): void
  /** Logs a mistake in how the application is put together, once. */
  mistake(problem: string): void
  /**
   * Begins to watch the way of every event.
   *
   * @returns A function that ends it.
   */
  watch(observer: Observer): () => void
  /** Resolves when no request is open, no background work goes on, and every event and call has its outcome. */
  settled(): Promise<void>
  /** Counts the open events where they really are: the ledger computes the same number from its sums. */
  countOpen(): number
  /** Counts the calls without an outcome where they really are, likewise. */
  countPending(): number
  /** What waits in the outbox, of all processes; `undefined` where nobody can tell. Never rejects. */
  waiting(): Promise<Waiting | undefined>
  /** Forgets whom Segment has been told about, so that `identify` and `group` fire again. */
  forgetPeople(): void
}
