import { onlyChoices } from '../model/consent.js'
import { toId, unfitId } from '../model/identity.js'
import type { SegmentContext } from '../model/segment-call.js'
import type { Sender } from '../model/sender.js'
import { isRecord, toPlain } from '../model/values.js'
import { parseTraceparent } from '../request/trace.js'
import { readAsTypeError } from '../support/option.js'
import { expectedId, kindOf } from './given-kinds.js'

const TRACE = /^(?!0{32})[\da-f]{32}$/

/** A sender whose parts have been checked and copied. */
export interface GivenSender {
  /** Which grants were carried, and when they were known, in milliseconds since 1970. The other choices are of now. */
  readonly carried?: { readonly at: number; readonly grants: readonly string[] }
  readonly name: string | undefined
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined
  readonly consent: Readonly<Record<string, boolean>> | NonNullable<Extract<Sender['consent'], () => unknown>>
  readonly context: SegmentContext | undefined
  readonly trace: string | undefined
}

/**
 * Checks a sender. No visitor is to be protected here: a mistake in a job's own code is better thrown at once.
 *
 * @param method - The method that was called, for the message.
 * @throws TypeError that says what was given and what was expected.
 */
export function readGivenSender(method: string, sender: unknown): GivenSender {
  return readAsTypeError(`tracking.${method}() was given a sender`, () => readSender(method, sender))
}

function readSender(method: string, sender: unknown): GivenSender {
  if (!isRecord(sender)) {
    throw new TypeError(
      `tracking.${method}() was given ${kindOf(sender)} as sender: expected an object such as { user: { id: 'u-1' }, consent: { analytics: true } }`,
    )
  }
  const refuse = (part: string, value: unknown, expected: string): never => {
    throw new TypeError(
      `tracking.${method}() was given sender.${part}: ${kindOf(value)}; expected ${expected}`,
    )
  }
  const { name, user = {}, consent = {}, context, trace } = sender
  if (name !== undefined && typeof name !== 'string') refuse('name', name, 'a string')
  if (!isRecord(user)) return refuse('user', user, "an object such as { id: 'u-1' }")
  const { id, session, ...details } = user
  const unfit = unfitId(withoutUndefined({ id, session }))
  if (unfit !== undefined)
    throw new TypeError(`tracking.${method}() was given sender.user.${unfit} as ${expectedId(user[unfit])}`)
  if (context !== undefined && !isRecord(context))
    refuse('context', context, "an object such as { ip: '203.0.113.7' }")
  const described =
    boundedCopyOf(details) ?? refuse('user', user, 'details within the 32 KB that Segment takes for a call')
  return {
    name: typeof name === 'string' ? name : undefined,
    userId: toId(id),
    anonymousId: toId(session),
    details: Object.keys(described).length > 0 ? described : undefined,
    consent: isConsentFunction(consent) ? consent : choicesOf(consent, refuse),
    context: isRecord(context)
      ? (boundedCopyOf(context) ??
        refuse('context', context, 'a context within the 32 KB that Segment takes for a call'))
      : undefined,
    trace:
      trace === undefined
        ? undefined
        : (traceOf(trace) ?? refuse('trace', trace, '32 lower-case hex digits, or a traceparent')),
  }
}

function choicesOf(
  consent: unknown,
  refuse: (part: string, value: unknown, expected: string) => never,
): Record<string, boolean> {
  if (!isRecord(consent))
    return refuse('consent', consent, 'an object such as { analytics: true }, or a function')
  return checkedChoices(consent, (key, choice) =>
    refuse(`consent.${key.slice(0, 60)}`, choice, 'true or false'),
  )
}

/**
 * Copies the choices of a consent state that a job's own code gives. A choice that is `undefined` is unknown, as an absent
 * one is.
 *
 * @param refuse - Throws for a choice that is none.
 */
export function checkedChoices(
  state: Readonly<Record<string, unknown>>,
  refuse: (key: string, choice: unknown) => never,
): Record<string, boolean> {
  for (const [key, choice] of Object.entries(state)) {
    if (typeof choice !== 'boolean' && choice !== undefined) refuse(key, choice)
  }
  return onlyChoices(state)
}

function isConsentFunction(consent: unknown): consent is Extract<Sender['consent'], () => unknown> {
  return typeof consent === 'function'
}

/** A trace in either form. */
export function traceOf(trace: unknown): string | undefined {
  if (typeof trace !== 'string') return undefined
  return TRACE.test(trace) ? trace : parseTraceparent(trace)?.trace
}

function boundedCopyOf(value: Record<string, unknown>): Record<string, unknown> | undefined {
  const { value: copied, tooLarge } = toPlain(value)
  if (tooLarge) return undefined
  return isRecord(copied) ? copied : {}
}

function withoutUndefined(ids: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined))
}
