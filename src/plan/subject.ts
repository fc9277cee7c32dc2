import type { EventPart, JudgedEvent } from '../model/plan.js'
import { isRecord } from '../model/values.js'
import type { Path } from './offence.js'

/** What of an event a schema is about. */
export interface Subject {
  /** Takes it from an event. */
  of(event: JudgedEvent): unknown
  /** Whether a place is all that the event is about: what is left without it means nothing. */
  isRoot(path: Path): boolean
  /** The parts of an event that say this. */
  parts(value: unknown): Partial<Record<EventPart, unknown>>
}

/** The event's data; of the tracker's own methods the traits or properties. */
export const dataSubject: Subject = {
  of: ({ data }) => data,
  isRoot: (path) => path.length === 0,
  parts: (data) => ({ data }),
}

/** All that a handler gives: data, context, nested entities and custom. */
export const eventSubject: Subject = {
  of: ({ data, context, nested, custom }) => ({ data, context, nested, custom }),
  isRoot: ([part, ...inner]) => part === undefined || (part === 'data' && inner.length === 0),
  parts: (value) => {
    const { data = {}, context = {}, nested = [], custom = {} } = isRecord(value) ? value : {}
    return { data, context, nested, custom }
  },
}
