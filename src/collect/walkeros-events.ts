import type { GivenEvent } from '../model/event.js'
import { isRecord } from '../model/values.js'
import { refusalsIn } from './sent-consent.js'
import { keyOf, type Reading, type SentEvent, sentAnonymousId } from './sent-event.js'
import { sentTime } from './sent-time.js'

/** Whether a body has the form of a list, and its events: a list, `{ batch }` with one, or one event alone. */
export function walkerEventsIn(body: unknown): {
  readonly isList: boolean
  readonly events: readonly unknown[]
} {
  if (Array.isArray(body)) return { isList: true, events: body }
  if (isRecord(body) && Array.isArray(body.batch)) return { isList: true, events: body.batch }
  return { isList: false, events: [body] }
}

/** Whether a value has the form of an event's context: values with their places, by name. */
function isContext(value: unknown): value is NonNullable<GivenEvent['context']> {
  return (
    isRecord(value) &&
    Object.values(value).every(
      (each) => Array.isArray(each) && each.length === 2 && typeof each[1] === 'number',
    )
  )
}

/**
 * Reads an event of walkerOS: its name, data, context, nested entities, trigger, time and timing. What it says of the person
 * and of grants is not believed.
 *
 * @returns `undefined` for what is no event.
 */
export function readWalkerEvent(event: unknown, reading: Reading): SentEvent | undefined {
  if (!isRecord(event) || typeof event.name !== 'string') return undefined
  const { name, data, context, nested, trigger, timing } = event
  const anonymousId = sentAnonymousId(isRecord(event.user) ? event.user.session : undefined, reading)
  return {
    given: {
      name,
      data,
      ...(isContext(context) && { context }),
      ...(Array.isArray(nested) && { nested }),
      ...(typeof trigger === 'string' && { trigger }),
      consent: refusalsIn(event.consent),
      timestamp: sentTime(event.timestamp, event.sentAt, reading.arrivedAt),
      key: keyOf(event.id, anonymousId, reading),
    },
    direct: undefined,
    facts: { anonymousId, timing: typeof timing === 'number' && timing >= 0 ? timing : undefined },
    isAllowed: reading.allows(name),
  }
}
