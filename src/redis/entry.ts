import type { StoredCall } from '../delivery/outbox/outbox.js'
import { parsedRecord } from '../model/parsed-json.js'
import { CALL_TYPES } from '../model/segment-call.js'

/**
 * The version of an entry's format. Later ones may add fields, so that a version that was rolled back reads them; one that
 * changes the meaning of a field gets a stream of another name. An entry that cannot be read as a call is set aside as it is.
 */
const FORMAT = '1'

/** An entry of a stream. */
export interface Entry {
  readonly id: string
  /** The call, unless the entry is none of ours. */
  readonly call: StoredCall | undefined
  /** Why it is none. */
  readonly fault: string | undefined
  /** The consumer that wrote it. */
  readonly writer: string | undefined
  /** Its fields as they are. */
  readonly fields: readonly string[]
}

/** The fields of a call as an entry. */
export function fieldsOf({ type, messageId, madeAt, text }: StoredCall, writer: string): string[] {
  return ['v', FORMAT, 't', type, 'm', messageId, 'a', String(madeAt), 'b', writer, 'p', text]
}

/** Reads the entries of one stream from the reply to a read: a list of streams, or with RESP 3 an object of them. */
export function entriesOfRead(reply: unknown): Entry[] {
  if (reply === null || reply === undefined) return []
  if (Array.isArray(reply)) {
    // [[key, entries]], or [key, entries] where a client has flattened the map.
    const [first] = reply
    return entriesOf(Array.isArray(first) ? first[1] : reply[1])
  }
  if (reply instanceof Map) return entriesOf([...reply.values()][0])
  return typeof reply === 'object' ? entriesOf(Object.values(reply)[0]) : []
}

/** Reads a list of entries. Those that are gone are left out. */
export function entriesOf(list: unknown): Entry[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((each: unknown) => {
    if (!Array.isArray(each) || !Array.isArray(each[1])) return []
    return [entryOf(textOf(each[0]), each[1].map(textOf))]
  })
}

/** A text, of a client that gives bytes, too. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(value)
}

/** Reads a map that a client gives as an object, a `Map`, or a flat list. */
export function mapOf(reply: unknown): Map<string, unknown> {
  if (reply instanceof Map) return new Map([...reply].map(([key, value]) => [textOf(key), value]))
  if (!Array.isArray(reply))
    return new Map(typeof reply === 'object' && reply !== null ? Object.entries(reply) : [])
  const map = new Map<string, unknown>()
  for (let index = 0; index + 1 < reply.length; index += 2) map.set(textOf(reply[index]), reply[index + 1])
  return map
}

function entryOf(id: string, fields: string[]): Entry {
  const values = new Map<string, string>()
  for (let index = 0; index + 1 < fields.length; index += 2)
    values.set(fields[index] ?? '', fields[index + 1] ?? '')
  const read = callIn(values)
  const [call, fault] = typeof read === 'string' ? [undefined, read] : [read, undefined]
  return { id, call, fault, writer: values.get('b'), fields }
}

/** The call in the fields of an entry, or why there is none. */
function callIn(fields: ReadonlyMap<string, string>): StoredCall | string {
  const type = CALL_TYPES.find((known) => known === fields.get('t'))
  const messageId = fields.get('m')
  const madeAt = Number(fields.get('a') || Number.NaN)
  const text = fields.get('p') ?? ''
  if (type === undefined) return 'it has no known type'
  if (!messageId) return 'it has no messageId'
  if (!Number.isFinite(madeAt)) return 'it has no time'
  // The books know a call by the one, and Segment by the other.
  if (parsedRecord(text)?.messageId !== messageId) return 'its params are no JSON object with its messageId'
  return { type, messageId, madeAt, text }
}
