import { createHash } from 'node:crypto'
import { parsedJson, parsedRecord } from '../../model/parsed-json.js'
import { CALL_TYPES, type CallType } from '../../model/segment-call.js'
import type { StoredCall } from './outbox.js'

/** The version of the format of records and stores. A process leaves what a newer version wrote to that version. */
export const FORMAT = 2
const NUMBER_DIGITS = 15
const SUM_CHARACTERS = 16

/** What a record of a store is: a call, one that was changed on the disk, or nothing that this version knows. */
export type FoundRecord =
  | { readonly kind: 'call'; readonly call: StoredCall }
  | { readonly kind: 'damaged' | 'newer' | 'unknown' }

const DAMAGED: FoundRecord = { kind: 'damaged' }
const NEWER: FoundRecord = { kind: 'newer' }
const UNKNOWN: FoundRecord = { kind: 'unknown' }

/** The key of the call with a number; keys sort by number. */
export function keyOf(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0')
}

/** Whether a key is one of a call. */
export function isCallKey(key: string): boolean {
  return /^\d{15}$/.test(key)
}

/** A checksum. SHA-256 costs less here than a CRC in JavaScript, and Node's own CRC is not in every supported version. */
export function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, SUM_CHARACTERS)
}

/**
 * Writes a call as a record: the version, a checksum over the key and all the rest, the head, and the parameters unchanged.
 * Every later version keeps its own number and checksum in these places, so that damage is never taken for a newer version.
 */
export function recordOf(
  key: string,
  { type, messageId, madeAt, writeKeyHash = '', text }: StoredCall,
): string {
  const rest = `${writeKeyHash} ${type} ${madeAt} ${JSON.stringify(messageId)}\n${text}`
  return `${FORMAT} ${sumOf(`${key} ${FORMAT} ${rest}`)} ${rest}`
}

const ENVELOPE = /^(\d{1,9}) ([\w-]{16}) /
const HEAD = /^([\w-]*) ([a-z]+) (\d+) (".*")$/

/** Reads a record back. */
export function readRecord(key: string, record: string): FoundRecord {
  const envelope = ENVELOPE.exec(record)
  if (!envelope) return readFirstFormat(record)
  const [{ length }, version, sum] = envelope
  const rest = record.slice(length)
  const isWhole = isCallKey(key) && sumOf(`${key} ${version} ${rest}`) === sum
  if (Number(version) !== FORMAT) return isWhole ? NEWER : UNKNOWN
  if (!isWhole) return DAMAGED
  const end = rest.indexOf('\n')
  const head = HEAD.exec(rest.slice(0, end))
  if (!head) return DAMAGED
  const [, writeKeyHash = '', type, madeAt, quoted = ''] = head
  const messageId = parsedJson(quoted)
  if (!isType(type) || typeof messageId !== 'string') return DAMAGED
  const call = { type, messageId, madeAt: Number(madeAt), text: rest.slice(end + 1) }
  return { kind: 'call', call: writeKeyHash === '' ? call : { ...call, writeKeyHash } }
}

/** The first format had neither a version nor a checksum. */
function readFirstFormat(record: string): FoundRecord {
  if (!record.startsWith('["')) return UNKNOWN
  const end = record.indexOf('\n')
  const head = parsedJson(record.slice(0, end))
  const text = record.slice(end + 1)
  if (!Array.isArray(head)) return DAMAGED
  const [type, messageId, madeAt]: unknown[] = head
  if (!isType(type) || typeof messageId !== 'string' || typeof madeAt !== 'number') return DAMAGED
  if (parsedRecord(text)?.messageId !== messageId) return DAMAGED
  return { kind: 'call', call: { type, messageId, madeAt, text } }
}

const TYPES: ReadonlySet<unknown> = new Set(CALL_TYPES)

function isType(type: unknown): type is CallType {
  return TYPES.has(type)
}
