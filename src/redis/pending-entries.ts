import type { Connection, Reply } from './client.js'
import { chunksOf, GROUP, IDS_AT_ONCE, isError, throwFirst } from './commands.js'
import { type Entry, entriesOf, mapOf, textOf } from './entry.js'
import { compareIds } from './left-entries.js'

/** An entry that is given back has been idle for so long: whoever looks next takes it. */
export const GIVEN_BACK_IDLE_MS = 7 * 24 * 60 * 60 * 1_000

/** No process may take longer to say that it still has an entry. What is given back is older than that. */
const LONGEST_HELD_MS = 24 * 60 * 60 * 1_000

/** Entries that were claimed of consumers of which nothing was heard. */
export interface Claimed {
  readonly entries: readonly Entry[]
  /** How often each was handed out. */
  readonly deliveries: ReadonlyMap<string, number>
  /** Entries that consumers held and that are gone from the stream. */
  readonly gone: readonly string[]
  /** How many others of these this process has now, without their ids being told: so it is before Redis 7. */
  readonly untold: number
}

/** The process that has an entry. */
export interface Holder {
  readonly consumer: string
  /** Milliseconds since it was said that it still has it. */
  readonly idleMs: number
}

/**
 * The list of a stream's pending entries: those that consumers have, this process among them.
 *
 * From Redis 7 on, entries that are gone from the stream leave the list when they are claimed, and Redis tells which they are.
 * Before, they stay on it until they are acknowledged, and whoever claims them gets nothing in their place.
 */
export class PendingEntries {
  readonly #connection: Connection
  readonly #key: string
  readonly #consumer: string
  readonly #front: () => Promise<string | undefined>
  /** Whether Redis tells which entries are gone. It shows with the first claim. */
  #tellsGone = false

  /** @param front - Asks for the id of the stream's first entry, which is `undefined` while it is empty. */
  constructor(
    connection: Connection,
    key: string,
    consumer: string,
    front: () => Promise<string | undefined>,
  ) {
    this.#connection = connection
    this.#key = key
    this.#consumer = consumer
    this.#front = front
  }

  /** Says that this process still works on entries. Tells which of them are gone; before Redis 7, which of the stream's front. */
  async renew(ids: readonly string[]): Promise<string[]> {
    const there: string[] = []
    for (const some of chunksOf(ids)) {
      const reply = await this.#send(['XCLAIM', this.#key, GROUP, this.#consumer, '0', ...some, 'JUSTID'])
      there.push(...(Array.isArray(reply) ? reply.map(textOf) : some))
    }
    const trimmed = new Set(this.#tellsGone ? [] : await this.#forgetTrimmed(there))
    const held = new Set(there.filter((id) => !trimmed.has(id)))
    return ids.filter((id) => !held.has(id))
  }

  /** The ids that this process has. */
  async stillHeld(): Promise<Set<string>> {
    const held = new Set<string>()
    for await (const [id] of this.#rows({ consumer: this.#consumer })) held.add(textOf(id))
    return held
  }

  /** Takes entries anew that this process has. Those that are gone are left out. */
  async takeAgain(ids: readonly string[]): Promise<Entry[]> {
    const entries: Entry[] = []
    for (const some of chunksOf(ids))
      entries.push(...entriesOf(await this.#send(['XCLAIM', this.#key, GROUP, this.#consumer, '0', ...some])))
    return entries
  }

  /** Takes entries over from consumers of which nothing was heard for so long. */
  async claim(idleMs: number, most: number): Promise<Claimed> {
    const entries: Entry[] = []
    const gone: string[] = []
    let untold = 0
    const fixed = [this.#key, GROUP, this.#consumer, String(idleMs)]
    for (let cursor = '0-0'; ; ) {
      const reply = await this.#send(['XAUTOCLAIM', ...fixed, cursor, 'COUNT', String(most)])
      if (!Array.isArray(reply)) break
      const [next, list, told] = reply
      const claimed = entriesOf(list)
      entries.push(...claimed)
      this.#tellsGone = Array.isArray(told)
      if (Array.isArray(told)) gone.push(...told.map(textOf))
      else if (Array.isArray(list)) untold += list.length - claimed.length
      cursor = textOf(next)
      if (cursor === '0-0' || entries.length >= most) break
    }
    return { entries, gone, untold, deliveries: await this.#deliveriesOf(entries) }
  }

  /** Takes those of some entries that are gone off the list, and tells which this process had until then. */
  async forgetGone(ids: readonly string[]): Promise<string[]> {
    const forgotten: string[] = []
    for (const some of chunksOf(ids)) {
      const found = await this.#each(some, (id) => ['XRANGE', this.#key, id, id])
      const gone = some.filter((_, index) => entriesOf(found[index]).length === 0)
      if (gone.length === 0) continue
      // One that has had its outcome meanwhile is gone, too, and is no more on the list.
      const forgot = await this.#each(gone, (id) => ['XACK', this.#key, GROUP, id])
      forgotten.push(...gone.filter((_, index) => Number(forgot[index]) === 1))
    }
    return forgotten
  }

  /** Leaves entries to whoever looks next. */
  async giveBack(ids: readonly string[]): Promise<void> {
    const given = ['IDLE', String(GIVEN_BACK_IDLE_MS), 'RETRYCOUNT', '0', 'JUSTID']
    for (const some of chunksOf(ids))
      await this.#send(['XCLAIM', this.#key, GROUP, this.#consumer, '0', ...some, ...given])
  }

  /** Takes consumers off that have nothing, and of which nothing was heard for so long. */
  async removeDead(idleMs: number): Promise<void> {
    const reply = await this.#send(['XINFO', 'CONSUMERS', this.#key, GROUP])
    for (const each of Array.isArray(reply) ? reply : []) {
      const consumer = mapOf(each)
      if (Number(consumer.get('pending')) > 0 || Number(consumer.get('idle')) < idleMs) continue
      const name = textOf(consumer.get('name'))
      if (name !== this.#consumer) await this.#send(['XGROUP', 'DELCONSUMER', this.#key, GROUP, name])
    }
  }

  /** The entries that processes hold, by their ids. What a process has given back is nobody's. */
  async heldByAnybody(): Promise<Map<string, Holder>> {
    const held = new Map<string, Holder>()
    try {
      for await (const [id, consumer, idle] of this.#rows())
        if (Number(idle) < LONGEST_HELD_MS)
          held.set(textOf(id), { consumer: textOf(consumer), idleMs: Number(idle) })
    } catch (error) {
      // A stream that nobody has opened has no group, and nobody holds anything of it.
      if (!isError(error, 'NOGROUP') && !isError(error, 'no such key')) throw error
    }
    return held
  }

  /** Takes those of some entries off the list that were trimmed, and tells which. */
  async #forgetTrimmed(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return []
    const first = await this.#front()
    const trimmed = first === undefined ? [...ids] : ids.filter((id) => compareIds(id, first) < 0)
    for (const some of chunksOf(trimmed)) await this.#send(['XACK', this.#key, GROUP, ...some])
    return trimmed
  }

  /** How often entries were handed out that this process has. */
  async #deliveriesOf(entries: readonly Entry[]): Promise<Map<string, number>> {
    const deliveries = new Map<string, number>()
    const [first, last] = [entries[0], entries.at(-1)]
    if (!first || !last) return deliveries
    for await (const [id, , , count] of this.#rows({
      from: first.id,
      to: last.id,
      consumer: this.#consumer,
    }))
      deliveries.set(textOf(id), Number(count))
    return deliveries
  }

  /** Goes through the list, or what it has of a consumer. */
  async *#rows({ from = '-', to = '+', consumer }: Rows = {}): AsyncGenerator<unknown[]> {
    const whose = consumer === undefined ? [] : [consumer]
    for (let start = from; ; ) {
      const reply = await this.#send(['XPENDING', this.#key, GROUP, start, to, String(IDS_AT_ONCE), ...whose])
      const rows = Array.isArray(reply) ? reply.filter((row) => Array.isArray(row)) : []
      yield* rows
      const last: unknown = rows.at(-1)?.[0]
      if (rows.length < IDS_AT_ONCE || last === undefined) return
      start = `(${textOf(last)}`
    }
  }

  async #each(ids: readonly string[], commandOf: (id: string) => readonly string[]): Promise<Reply[]> {
    const replies = await this.#connection.transaction(ids.map(commandOf), this.#key)
    throwFirst(replies)
    return replies
  }

  #send(command: readonly string[]): Promise<Reply> {
    return this.#connection.send(command, this.#key)
  }
}

/** A part of the list. */
interface Rows {
  readonly from?: string
  readonly to?: string
  readonly consumer?: string
}
