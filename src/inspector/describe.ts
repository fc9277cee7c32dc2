import { STATUS_CODES } from 'node:http'
import { explainDrop, explainFailure } from '../observe/reasons.js'
import type { DestinationStep, Who } from '../observe/step.js'
import type { BatchRecord, CallRecord, EventRecord, RequestJournal, RequestRecord } from './journal.js'
import { planNote, planViewOf } from './plan-view.js'
import type {
  BatchView,
  CallView,
  EventState,
  EventView,
  RequestSummary,
  RequestView,
  Stage,
  StageName,
  StageState,
  WhoView,
} from './view.js'

/** The most events that one line of the list shows. */
const MAX_SUMMARY_EVENTS = 10
/** Names, paths and ids come from visitors and can be of any length. */
const MAX_TEXT_LENGTH = 300

const STAGES: readonly StageName[] = [
  'tracked',
  'plan',
  'consent',
  'mapping',
  'identity',
  'deduplication',
  'calls',
  'delivery',
]

/** The states of calls, the worst last. */
const BY_SEVERITY: readonly CallView['state'][] = ['delivered', 'pending', 'retrying', 'failed']

/** Describes a request as a line of the list. */
export function summaryOf(request: RequestRecord): RequestSummary {
  const { number, events, omitted, ended, who } = request
  const sender = [...events].reverse().find((event) => event.walkeros)?.walkeros?.user
  return {
    number,
    scope: ended?.scope ?? 'request',
    method: truncate(ended?.method ?? ''),
    path: truncate(ended?.path ?? ''),
    route: ended?.outcome.route === undefined ? undefined : truncate(ended.outcome.route),
    status: ended?.outcome.status,
    end: endOf(ended),
    durationMs: ended?.outcome.durationMs ?? 0,
    at: ended?.at ?? 0,
    userId: textOf(who?.userId ?? sender?.id),
    anonymousId: textOf(who?.anonymousId ?? sender?.session),
    events: events
      .slice(0, MAX_SUMMARY_EVENTS)
      .map((event) => ({ name: nameOf(event), state: stateOf(event) })),
    more: omitted + Math.max(0, events.length - MAX_SUMMARY_EVENTS),
  }
}

/** Describes a request with everything that is kept about it. */
export function describeRequest(request: RequestRecord, journal: RequestJournal): RequestView {
  return {
    summary: summaryOf(request),
    who: request.who && whoOf(request.who),
    events: request.events.map((event) => describeEvent(event, request, journal)),
  }
}

function describeEvent(event: EventRecord, request: RequestRecord, journal: RequestJournal): EventView {
  const { walkeros, sources } = event
  return {
    name: nameOf(event),
    at: event.at,
    state: stateOf(event),
    reason: reasonOf(event, request),
    stages: stagesOf(event, journal.hasPlan),
    plan: planViewOf(event),
    who:
      walkeros &&
      sources &&
      whoOf({
        userId: textOf(walkeros.user?.id),
        anonymousId: textOf(walkeros.user?.session),
        consent: walkeros.consent ?? {},
        sources,
      }),
    calls: event.calls.map((call) => describeCall(call, journal)),
    json: walkeros && JSON.stringify(walkeros, null, 2),
  }
}

function endOf(ended: RequestRecord['ended']): RequestSummary['end'] {
  if (!ended?.outcome.aborted) return 'done'
  return ended.scope === 'request' ? 'aborted' : 'failed'
}

/** In words, for what depends on it. */
function endInWords({ ended }: RequestRecord): string {
  const status = ended?.outcome.status
  if (status !== undefined) return `status ${status}`
  return { done: 'success', aborted: 'an abort', failed: 'an exception' }[endOf(ended)]
}

function stateOf(event: EventRecord): EventState {
  if (event.dropped !== undefined) return 'dropped'
  if (event.calls.length > 0) return worstOf(event.calls.map(callState))
  return sparedOf(event) > 0 ? 'known' : 'open'
}

function worstOf(states: readonly CallView['state'][]): CallView['state'] {
  return BY_SEVERITY.findLast((state) => states.includes(state)) ?? 'pending'
}

function callState({ outcome, batches }: CallRecord): CallView['state'] {
  if (outcome) return outcome.failed === undefined ? 'delivered' : 'failed'
  return batches.length > 0 ? 'retrying' : 'pending'
}

function reasonOf(event: EventRecord, request: RequestRecord): string | undefined {
  const { dropped, walkeros, sources } = event
  if (dropped === undefined) {
    if (stateOf(event) !== 'known') return undefined
    return event.repeated > 0
      ? 'nothing is sent: the same message, of an event with its name and key, is on its way already.'
      : 'nothing is sent: Segment knows all that it says already.'
  }
  const stopped = event.steps.find(({ outcome }) => outcome === 'dropped')
  const explained = explainDrop(dropped, {
    rule: stopped?.rule ?? stepOf(event, 'mapping')?.rule,
    required: stopped?.required,
    consent: walkeros?.consent,
    readers: sources?.consent,
    scope: request.ended?.scope,
    end: endInWords(request),
  })
  return `dropped: ${dropped}. ${sentence(explained)}`
}

/** @returns The stages in order, each with its state: passed, stopped here, or not reached. */
function stagesOf(event: EventRecord, hasPlan: boolean): Stage[] {
  const reached = reachedOf(event, hasPlan)
  return STAGES.flatMap((name, index) => {
    if (name === 'plan' && !hasPlan) return []
    const passed: StageState = name === 'plan' && isAgainstPlan(event) ? 'flagged' : 'passed'
    const state = index < reached.index ? passed : index > reached.index ? 'unreached' : reached.state
    return [{ name, state, note: state === 'unreached' ? '' : noteOf(name, event) }]
  })
}

function isAgainstPlan({ judgement }: EventRecord): boolean {
  return judgement !== undefined && judgement.violations.length > 0
}

function reachedOf(event: EventRecord, hasPlan: boolean): { index: number; state: StageState } {
  const at = (name: StageName, state: StageState) => ({ index: STAGES.indexOf(name), state })
  if (event.dropped !== undefined) {
    const stopped = event.steps.find(({ outcome }) => outcome === 'dropped')
    if (stopped) return at(stopped.step, 'stopped')
    if (!event.walkeros) return at('tracked', 'stopped')
    if (event.dropped === 'plan') return at('plan', 'stopped')
    // It passed the destination without a call, or the destination failed in the middle.
    const last = event.steps.at(-1)?.step
    return { index: last ? STAGES.indexOf(last) + 1 : STAGES.indexOf('consent'), state: 'stopped' }
  }
  switch (stateOf(event)) {
    case 'open':
      if (!event.walkeros) return at('tracked', 'waiting')
      return at(hasPlan && !event.judgement ? 'plan' : 'consent', 'waiting')
    case 'known':
      return at('deduplication', 'passed')
    case 'failed':
      return at('delivery', 'stopped')
    case 'retrying':
      return at('delivery', 'retrying')
    case 'pending':
      return at('delivery', 'waiting')
    default:
      return at('delivery', 'passed')
  }
}

function noteOf(name: StageName, event: EventRecord): string {
  switch (name) {
    case 'tracked':
      return event.dropped !== undefined && !event.walkeros ? event.dropped : ''
    case 'plan':
      return planNote(event)
    case 'consent':
      return consentNote(stepOf(event, 'consent'), event)
    case 'mapping': {
      const rule = stepOf(event, 'mapping')?.rule
      if (rule !== undefined) return truncate(rule)
      return event.method === undefined ? 'no rule' : `tracker.${event.method}()`
    }
    case 'identity': {
      const identity = stepOf(event, 'identity')?.identity
      return truncate(identity?.userId ?? identity?.anonymousId ?? 'nobody')
    }
    case 'deduplication': {
      const spared = sparedOf(event)
      return spared === 0 ? 'all new' : `${spared} spared`
    }
    case 'calls':
      return event.calls.map(({ call }) => call.type).join(', ') || 'none'
    case 'delivery': {
      const state = stateOf(event)
      const tries = Math.max(0, ...event.calls.map(({ batches }) => batches.length))
      return state === 'retrying' ? `retrying, ${tries} ${tries === 1 ? 'try' : 'tries'} so far` : state
    }
  }
}

function consentNote(step: DestinationStep | undefined, { walkeros }: EventRecord): string {
  if (!step) return ''
  if (step.outcome === 'dropped') return 'denied'
  const keys = Object.keys(step.required ?? {})
  return keys.length === 0 ? 'not required' : keys.filter((key) => walkeros?.consent?.[key]).join(', ')
}

function stepOf(event: EventRecord, step: DestinationStep['step']): DestinationStep | undefined {
  return event.steps.find((known) => known.step === step)
}

/** How many calls were not made, because Segment knows the same or is about to. */
function sparedOf(event: EventRecord): number {
  return (stepOf(event, 'deduplication')?.deduplicated ?? 0) + event.repeated
}

function describeCall(record: CallRecord, journal: RequestJournal): CallView {
  const { call, batches, outcome } = record
  return {
    messageId: call.params.messageId ?? '',
    label: labelOf(record),
    state: callState(record),
    reason: outcome?.failed === undefined ? undefined : explainFailure(outcome.failed, outcome.detail),
    json: JSON.stringify({ type: call.type, ...call.params }, null, 2),
    batches: batches.map((batch) => describeBatch(batch, record, journal)),
  }
}

function labelOf({ call }: CallRecord): string {
  switch (call.type) {
    case 'track':
      return `track ${truncate(call.params.event)}`
    case 'group':
      return `group ${truncate(call.params.groupId)}`
    case 'page':
    case 'screen':
      return truncate([call.type, call.params.category, call.params.name].filter(Boolean).join(' '))
    default:
      return call.type
  }
}

function describeBatch(batch: BatchRecord, record: CallRecord, journal: RequestJournal): BatchView {
  const { at, durationMs, status, error, messageIds } = batch
  const others = messageIds.flatMap((id) => {
    const other = journal.call(id)
    return other && other !== record ? [{ request: other.request.number, label: labelOf(other) }] : []
  })
  return {
    at,
    durationMs,
    answer: status === undefined ? (error ?? 'no answer') : `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ok: status !== undefined && status >= 200 && status < 300,
    size: messageIds.length,
    others,
  }
}

function whoOf({ userId, anonymousId, consent, sources }: Who): WhoView {
  const sourced = (value: string | undefined, reader: string | undefined) =>
    value === undefined ? undefined : { value: truncate(value), reader: reader ?? 'the event itself' }
  return {
    userId: sourced(userId, sources.userId),
    anonymousId: sourced(anonymousId, sources.anonymousId),
    consent: Object.entries(consent).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [{ key: truncate(key), value, reader: sources.consent[key] ?? 'the event itself' }],
    ),
  }
}

/** Capitalises a text that follows a full stop. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function nameOf({ name }: EventRecord): string {
  return name === '' ? '(without a name)' : truncate(name)
}

function textOf(id: unknown): string | undefined {
  return typeof id === 'string' ? truncate(id) : undefined
}

function truncate(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text
}
