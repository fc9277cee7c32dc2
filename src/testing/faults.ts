import { assertFault } from './fault-validation.js'

/** The members that every fault may have. */
export interface FaultCommon {
  /** Milliseconds to wait before anything is answered. Defaults to 0. */
  readonly delay?: number
  /**
   * Whether the endpoint takes the calls of a valid batch at once, before the delay: an answer can be lost after
   * Segment took the calls. Defaults to `true` for a complete 2xx answer, else `false`.
   */
  readonly record?: boolean
  /** How many requests get this fault. Defaults to 1 in a list, and to all for a fault given alone. */
  readonly times?: number
}

/**
 * A fault that sends an answer. Without `status` and `redirect` it delays, halves or drips the endpoint's normal
 * answer.
 */
export interface AnswerFault extends FaultCommon {
  /** The status to answer, 200 to 599; with `redirect` one of 301, 302 (the default), 307 and 308. */
  readonly status?: number
  /** Headers of the answer; they replace its usual ones. */
  readonly headers?: Readonly<Record<string, string>>
  /** The body; an object is sent as JSON. Defaults to Segment's `{ success, message }`. */
  readonly body?: string | object
  /** `Retry-After`: seconds, or the header's text. */
  readonly retryAfter?: number | string
  /** The `Location` header: where to redirect the request. */
  readonly redirect?: string
  /** Sends the head and half of the body, then ends the connection. */
  readonly half?: true
  /** Sends the answer, head included, byte by byte, with this many milliseconds between bytes. */
  readonly drip?: number
  readonly reset?: never
  readonly hang?: never
}

/** A fault that resets the connection (RST) instead of answering. */
export interface ResetFault extends FaultCommon {
  readonly reset: true
  readonly hang?: never
}

/** A fault that never answers: the connection stays open until the client, `stop()` or `close()` ends it. */
export interface HangFault extends FaultCommon {
  readonly hang: true
  readonly reset?: never
}

/**
 * One way in which the local endpoint misbehaves.
 *
 * @example
 * const unavailable: Fault = { status: 503 }
 * const rateLimited: Fault = { status: 429, retryAfter: 2, times: 3 }
 * const slow: Fault = { delay: 1500 }
 * const lostAnswer: Fault = { reset: true, record: true }
 * const moved: Fault = { redirect: 'http://127.0.0.1:4000/v1/batch', status: 308 }
 */
export type Fault = AnswerFault | ResetFault | HangFault

/** A request, as a fault function gets it. */
export interface FaultRequest {
  /** How many earlier requests this script has handled. */
  readonly index: number
  /** The request's headers, without `authorization`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly messageIds: readonly string[]
}

/**
 * How the endpoint answers further requests: one fault for all of them, a list with one entry for each request, or a
 * function that decides for each. `'ok'` and `undefined` mean the normal answer.
 */
export type FaultScript = Fault | 'ok' | undefined | readonly (Fault | 'ok')[] | FaultFunction

/** Decides about each request; `times` has no effect here. Its exceptions are not caught. */
export type FaultFunction = (request: FaultRequest) => Fault | 'ok' | undefined

/** Runs through a script, one fault for each request. */
export class FaultSequence {
  readonly #decide: FaultFunction
  #index = 0

  /** @throws TypeError for an invalid fault. */
  constructor(script: FaultScript) {
    this.#decide = typeof script === 'function' ? script : inTurn(script)
  }

  /** The fault for the next request; `undefined` means the normal answer. */
  next(request: Omit<FaultRequest, 'index'>): Fault | undefined {
    const fault = this.#decide({ index: this.#index++, ...request })
    if (fault === undefined || fault === 'ok') return undefined
    assertFault(fault)
    return fault
  }
}

/** Whether the endpoint still sends its own answer under a fault. */
export function keepsAnswer(fault: Fault | undefined): boolean {
  if (!fault) return true
  return !fault.reset && !fault.hang && fault.status === undefined && fault.redirect === undefined
}

/** Whether the endpoint takes the calls of a valid batch under a fault. */
export function takesCalls(fault: Fault | undefined): boolean {
  if (!fault) return true
  if (fault.record !== undefined) return fault.record
  if (fault.reset || fault.hang || fault.half || fault.redirect !== undefined) return false
  return fault.status === undefined || fault.status < 300
}

function inTurn(script: Exclude<FaultScript, FaultFunction>): FaultFunction {
  const answers = isList(script) ? script : [script]
  const timesByDefault = isList(script) ? 1 : Number.POSITIVE_INFINITY
  const queue = answers.map((fault) => {
    if (fault === undefined || fault === 'ok') return { fault, left: timesByDefault }
    assertFault(fault)
    return { fault: { ...fault }, left: fault.times ?? timesByDefault }
  })
  return () => {
    const first = queue[0]
    if (!first) return undefined
    first.left--
    if (first.left <= 0) queue.shift()
    return first.fault
  }
}

function isList(script: FaultScript): script is readonly (Fault | 'ok')[] {
  return Array.isArray(script)
}
