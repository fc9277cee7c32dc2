import { messageOf } from '../../delivery/failure.js'
import type { Erasure } from '../../delivery/outbox/outbox.js'
import { eraseCalls, type Removed, removeCalls } from '../../redis/erasure.js'
import { Kept } from '../../redis/kept.js'
import type { Holder } from '../../redis/pending-entries.js'
import type { CallStream } from '../../redis/stream.js'
import { wallTime } from '../../support/clock.js'
import type { RedisConnection } from '../redis-connection.js'
import type { ChosenKeys } from './keys.js'
import {
  countAside,
  type Done,
  type Look,
  lineOf,
  type OutboxTarget,
  type Part,
  type Retried,
} from './target.js'

/** What a fleet has in a Redis. */
export class RedisTarget implements OutboxTarget {
  readonly #connection: RedisConnection
  readonly #kept: Kept
  readonly #keys: ChosenKeys

  constructor(connection: RedisConnection, prefix: string, keys: ChosenKeys) {
    this.#connection = connection
    this.#kept = new Kept(connection.client, prefix)
    this.#keys = keys
  }

  async look(): Promise<Look> {
    const parts: Part[] = []
    const aside = new Map<string, number>()
    let held = 0
    for (const [hash, stream] of await this.#streams()) {
      const { calls, oldestAt } = await waitingIn(stream)
      const holders = await stream.pending.heldByAnybody()
      held += holders.size
      parts.push({
        name: hash,
        calls,
        bytes: await stream.bytes(),
        oldestAt,
        writeKeyHashes: [],
        notes: notesOf([...holders.values()]),
      })
      for await (const { fields } of stream.all('aside'))
        countAside(aside, fieldOf(fields, 'reason') || 'unknown', fieldOf(fields, 'detail'))
    }
    return { partsAre: 'write key', parts, held, aside }
  }

  async *lines(): AsyncGenerator<string> {
    for (const [writeKeyHash, stream] of await this.#streams()) {
      const held = await stream.pending.heldByAnybody()
      for await (const { id, call } of stream.all('calls')) {
        if (!call) continue
        const { type, messageId, madeAt, text } = call
        const state = held.has(id) ? 'held' : 'waiting'
        yield lineOf({ state, madeAt: new Date(madeAt), writeKeyHash, type, messageId }, text)
      }
      for await (const { id, call, fields } of stream.all('aside')) {
        const [reason, detail] = [fieldOf(fields, 'reason'), fieldOf(fields, 'detail')]
        const at = new Date(Number(id.split('-')[0]))
        const head = { state: 'aside', reason, detail, at, writeKeyHash }
        if (!call) {
          yield JSON.stringify({ ...head, fields })
          continue
        }
        const { type, messageId, madeAt, text } = call
        yield lineOf({ ...head, madeAt: new Date(madeAt), type, messageId }, text)
      }
    }
  }

  async retry(): Promise<Retried> {
    const count = { waiting: 0, left: 0 }
    for (const [, stream] of await this.#chosen()) {
      const madeAt = wallTime()
      const found: { id: string; call: Parameters<CallStream['retry']>[0][number]['call'] }[] = []
      for await (const { id, call } of stream.all('aside')) {
        if (call) found.push({ id, call: { ...call, madeAt } })
        else count.left++
      }
      await stream.retry(found)
      count.waiting += found.length
    }
    return count
  }

  async erase(whose: Erasure): Promise<Done & { readonly people: number | undefined }> {
    const streams = await this.#streams()
    this.#keys.assertOnePerson(new Set(streams.map(([hash]) => hash)))
    const count = await this.#remove((stream) => eraseCalls(stream, whose))
    if (!this.#keys.areGiven) return { ...count, people: undefined }
    let people = 0
    for (const writeKey of this.#keys.writeKeys) people += await this.#kept.forget(writeKey, whose)
    return { ...count, people }
  }

  purge(): Promise<Done> {
    return this.#remove((stream) => removeCalls(stream, () => true))
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async #remove(from: (stream: CallStream) => Promise<Removed>): Promise<Done> {
    const count = { waiting: 0, aside: 0, held: 0 }
    for (const [, stream] of await this.#chosen()) {
      const { erased, held, aside } = await from(stream)
      count.waiting += erased - aside
      count.aside += aside
      count.held += held
    }
    return count
  }

  async #streams(): Promise<[hash: string, stream: CallStream][]> {
    const hashes = await this.#kept.writeKeyHashes()
    return hashes.map((hash) => [hash, this.#kept.callsOf(hash)])
  }

  async #chosen(): Promise<[hash: string, stream: CallStream][]> {
    return (await this.#streams()).filter(([hash]) => this.#keys.isChosen(hash))
  }
}

/** How many calls each process has. */
function notesOf(holders: readonly Holder[]): string[] {
  const counts = new Map<string, { calls: number; idleMs: number }>()
  for (const { consumer, idleMs } of holders) {
    const { calls, idleMs: least } = counts.get(consumer) ?? { calls: 0, idleMs }
    counts.set(consumer, { calls: calls + 1, idleMs: Math.min(least, idleMs) })
  }
  return [...counts].map(
    ([consumer, { calls, idleMs }]) => `${consumer} holds ${calls}, last heard of ${secondsOf(idleMs)} ago`,
  )
}

async function waitingIn(stream: CallStream) {
  try {
    return await stream.waiting()
  } catch (error) {
    if (messageOf(error).includes('no such key')) return { calls: 0, oldestAt: undefined }
    throw error
  }
}

function fieldOf(fields: readonly string[], name: string): string {
  // What was set aside is said last, after whatever the entry had.
  const at = fields.lastIndexOf(name)
  return at < 0 || at % 2 === 1 ? '' : (fields[at + 1] ?? '')
}

function secondsOf(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`
}
