import type { WalkerOS } from '@walkeros/core'
import type { DroppedEvent } from '../model/drop.js'
import { isRecord } from '../model/values.js'
import type { Violation } from '../model/violation.js'
import { escapeControls } from '../observe/format-call.js'
import { explainDrop, explainFailure } from '../observe/reasons.js'
import { assertMembers, assertUserId } from './arguments.js'
import { formatCall } from './format-call.js'
import { differences, isAsymmetric, shown } from './partial-match.js'
import { type PlanRecord, planRecord } from './plan-record.js'
import type { ReceivedCall } from './received-calls.js'
import type { RecordedTracking } from './recorder.js'

/** The most calls, drops and failures that one message lists of each. */
const MAX_LISTED = 20

/** Whether an expectation holds, and the message if the test wanted the opposite. */
export interface Verdict {
  readonly pass: boolean
  message(): string
}

/** An expected call. */
interface Expected {
  /** Describes it in messages. */
  readonly description: string
  /** Whether a call has the expected type and event, whatever its content. */
  isCandidate(call: ReceivedCall): boolean
  /** How a candidate differs from the expected content. */
  differences(call: ReceivedCall): string[]
}

/**
 * Whether a `track` call was sent that keeps to the tracking plan.
 *
 * @param isNot - Whether no such call is wanted, be it as planned or not.
 */
export function trackedVerdict(
  recorded: unknown,
  event: unknown,
  properties: unknown,
  isNot: boolean,
): Verdict {
  if (typeof event !== 'string') {
    throw new TypeError(`the event's name is ${shown(event)}; expected a string such as 'Order Completed'`)
  }
  assertMembers('properties', properties)
  return verdict(recorded, isNot, {
    description: `track ${shown(event)}${withMembers(properties, 'properties')}`,
    isCandidate: (call) => call.type === 'track' && call.event === event,
    differences: (call) =>
      properties === undefined ? [] : differences(membersOf(call), properties, 'properties'),
  })
}

/**
 * Whether an `identify` call was sent that keeps to the tracking plan.
 *
 * @param isNot - Whether no such call is wanted, be it as planned or not.
 */
export function identifiedVerdict(
  recorded: unknown,
  userId: unknown,
  traits: unknown,
  isNot: boolean,
): Verdict {
  // One object alone is traits.
  const isTraits = traits === undefined && isRecord(userId)
  const anybody = userId === undefined || isTraits
  const expectedTraits = isTraits ? userId : traits
  if (!anybody) assertUserId(userId)
  assertMembers('traits', expectedTraits)
  return verdict(recorded, isNot, {
    description: `identify${anybody ? '' : ` ${shown(userId)}`}${withMembers(expectedTraits, 'traits')}`,
    isCandidate: (call) => call.type === 'identify',
    differences: (call) => [
      ...(anybody ? [] : differences(call.userId, isAsymmetric(userId) ? userId : String(userId), 'userId')),
      ...(expectedTraits === undefined ? [] : differences(membersOf(call), expectedTraits, 'traits')),
    ],
  })
}

/** Whether all events keep to the tracking plan. */
export function planVerdict(recorded: unknown): Verdict {
  assertSettled(recorded)
  if (!recorded[planRecord].hasPlan) {
    throw new TypeError('there is no plan to keep to: expected recordTracking({ plan })')
  }
  const { violations } = recorded
  const pass = violations.length === 0
  return {
    pass,
    message: () =>
      [
        `expected ${pass ? 'something' : 'nothing'} against the plan`,
        ...section('against the plan', violations, (violation) => [
          `${shown(violation.event)}: ${described(violation)} (${violation.outcome})`,
        ]),
      ]
        .map(escapeControls)
        .join('\n'),
  }
}

function verdict(recorded: unknown, isNot: boolean, expected: Expected): Verdict {
  assertSettled(recorded)
  const plan = recorded[planRecord]
  const candidates = recorded.calls.filter((call) => expected.isCandidate(call))
  const sent = candidates.filter((call) => expected.differences(call).length === 0)
  const pass = sent.some((call) => isNot || plan.violationsOf(call).length === 0)
  const [against = []] = sent.map((call) => plan.violationsOf(call))
  return {
    pass,
    message: () =>
      [
        `expected ${pass ? 'no call' : 'a call'}: ${expected.description}`,
        ...(pass || against.length === 0
          ? []
          : [`tracked, but against the plan: ${against.map(described).join('; ')}`]),
        ...section('sent', recorded.calls, (call) => [
          formatCall(call),
          ...(expected.isCandidate(call) ? expected.differences(call).map((line) => `  ${line}`) : []),
        ]),
        ...section('dropped', recorded.drops, (dropped) => [describeDrop(dropped)]),
        ...section('failed', recorded.failures, ({ call, reason, detail }) => [
          `${call.type} (${reason}): ${explainFailure(reason, detail)}`,
        ]),
        ...section('against the plan', recorded.violations, (violation) => [
          `${shown(violation.event)}: ${described(violation)} (${violation.outcome})`,
        ]),
      ]
        .map(escapeControls)
        .join('\n'),
  }
}

/** @throws If the value is no recording, or events or calls are still on their way: no verdict would be right. */
function assertSettled(recorded: unknown): asserts recorded is Recording {
  if (!isRecorded(recorded)) {
    throw new TypeError(`given ${shown(recorded)}; expected what recordTracking() returns`)
  }
  const { events, calls } = recorded.stats()
  if (events.open === 0 && calls.pending === 0) return
  throw new Error(
    `${events.open} events and ${calls.pending} calls are still on their way: ` +
      'await recorded.settled() before the expectation',
  )
}

/** A recording, with what it knows of the plan. */
interface Recording extends RecordedTracking {
  readonly [planRecord]: PlanRecord
}

function isRecorded(value: unknown): value is Recording {
  return typeof value === 'object' && value !== null && 'settled' in value && planRecord in value
}

function described({ problem, expected }: Violation): string {
  return expected === undefined ? problem : `${problem}, expected ${expected}`
}

function section<T>(title: string, list: readonly T[], describe: (item: T) => string[]): string[] {
  if (list.length === 0) return title === 'sent' ? ['sent: nothing'] : []
  const lines = list.slice(0, MAX_LISTED).flatMap(describe)
  const rest = list.length - MAX_LISTED
  return [`${title}:`, ...lines.map((line) => `  ${line}`), ...(rest > 0 ? [`  … and ${rest} more`] : [])]
}

function describeDrop({ event, reason, required }: DroppedEvent): string {
  const name = event.name === undefined ? 'an event without a name' : shown(event.name)
  const consent: WalkerOS.Consent | undefined = isRecord(event.consent) ? event.consent : undefined
  return `${name} (${reason}): ${explainDrop(reason, { ...(required && { required }), ...(consent && { consent }) })}`
}

function withMembers(expected: unknown, name: string): string {
  return expected === undefined ? '' : ` with ${name} ${shown(expected)}`
}

/** The properties or traits of a call. */
function membersOf(call: ReceivedCall): Readonly<Record<string, unknown>> {
  const members = 'traits' in call ? call.traits : 'properties' in call ? call.properties : undefined
  return members ?? {}
}
