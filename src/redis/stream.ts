import type { AsideReason, StoredCall, Waiting } from '../delivery/outbox/outbox.js'
import { wallTime } from '../support/clock.js'
import type { Connection, Reply } from './client.js'
import { type Entry, entriesOf, entriesOfRead, fieldsOf, mapOf, textOf } from './entry.js'
import { compareIds } from './left-entries.js'

const GROUP = 'reqtrack'
/** How many ids a command gets at a time. */
const IDS_AT_ONCE = 500
/** The most calls that are set aside; the oldest go. */
const MOST_ASIDE = 10_000
/** So long somebody may look at what was set aside, which is personal data. */
const MAX_ASIDE_AGE_MS = 30 * 24 * 60 * 60 * 1_000
/** An entry that is given back has been idle for so long: whoever looks next takes it. */
export const GIVEN_BACK_IDLE_MS = 7 * 24 * 60 * 60 * 1_000

/** No process may take longer to say that it still has an entry. What is given back is older than that. */
const LONGEST_HELD_MS = 24 * 60 * 60 * 1_000

/** What a group of calls has come to that was written. */
export interface Written {
  /** The ids of the calls, in their order. */
  readonly ids: readonly string[]
  /** What was taken with it; `undefined` where nothing could be read, for want of a consumer group. */
  readonly taken: readonly Entry[] | undefined
  /** How many entries the stream has now. */
  readonly length: number
}

/** Entries that were claimed of consumers of which nothing was heard. */
export interface Claimed {
  readonly entries: readonly Entry[]
  /** How often each was handed out. */
  readonly deliveries: ReadonlyMap<string, number>
  /** Entries that consumers held and that are gone from the stream. */
  readonly gone: readonly string[]
  /** How many others of these this process has now, without being told their ids: so it is before Redis 7. */
  readonly untold: number
}

/** The process that has an entry. */
export interface Holder {
  readonly consumer: string
  /** Milliseconds since it was said that it still has it. */
  readonly idleMs: number
}

/** The calls of one write key in Redis: a stream of those that wait, and one of those that were set aside. */
export class CallStream {
  readonly key: string
  readonly consumer: string
  readonly #aside: string
  readonly #none: string
  readonly #connection: Connection
  /** Whether Redis tells which of the entries that consumers hold are gone, as from Redis 7 on. It shows with the first claim. */
  #tellsGone = false

  /** @param consumer - The name of this process among the consumers of the stream. */
  constructor(connection: Connection, prefix: string, writeKeyHash: string, consumer: string) {
    this.#connection = connection
    this.consumer = consumer
    // The braces keep all keys of a write key in one slot of a cluster.
    this.key = `${prefix}{${writeKeyHash}}:calls`
    this.#aside = `${prefix}{${writeKeyHash}}:aside`
    this.#none = `${prefix}{${writeKeyHash}}:none`
  }

  /** Makes the stream and its group, unless they are there, and tells whether they were not. */
  async create(): Promise<boolean> {
    try {
      await this.#send(['XGROUP', 'CREATE', this.key, GROUP, '0', 'MKSTREAM'])
      return true
    } catch (error) {
      if (isError(error, 'BUSYGROUP')) return false
      throw error
    }
  }

  /** Rejects where nothing can be written at the moment. It writes nothing: the key that it names is never made. */
  async probe(): Promise<void> {
    await this.#send(['XADD', this.#none, 'NOMKSTREAM', '*', 'v', '0'])
  }

  /** Adds calls in one transaction, and takes the next ones with it. */
  async write(calls: readonly StoredCall[], room: number): Promise<Written> {
    const commands = calls.map((call) => ['XADD', this.key, '*', ...fieldsOf(call, this.consumer)])
    if (room > 0) commands.push(this.#readCommand(room))
    commands.push(['XLEN', this.key])
    const replies = await this.#connection.transaction(commands, this.key)
    const ids = replies.slice(0, calls.length)
    const failure = ids.find((id) => id instanceof Error)
    if (failure !== undefined || ids.length < calls.length)
      throw failure ?? new Error('Redis has not answered')
    const read = room > 0 ? replies[calls.length] : []
    if (read instanceof Error && !isError(read, 'NOGROUP')) throw read
    return {
      ids: ids.map(textOf),
      taken: read instanceof Error ? undefined : entriesOfRead(read),
      length: Number(replies.at(-1)),
    }
  }

  /** Takes entries that nobody has. */
  async read(most: number): Promise<Entry[]> {
    return entriesOfRead(await this.#send(this.#readCommand(most)))
  }

  /** Takes entries on a connection of its own, as soon as there are any. */
  async waitFor(most: number, ms: number, connection: Connection): Promise<Entry[]> {
    const command = ['XREADGROUP', 'GROUP', GROUP, this.consumer, 'BLOCK', String(ms), 'COUNT', String(most)]
    return entriesOfRead(await connection.send([...command, 'STREAMS', this.key, '>'], this.key))
  }

  /** Removes entries, as many as one command gets. */
  async remove(ids: readonly string[]): Promise<void> {
    const commands = [
      ['XACK', this.key, GROUP, ...ids],
      ['XDEL', this.key, ...ids],
    ]
    throwFirst(await this.#connection.transaction(commands, this.key))
  }

  /** Says that this process still works on entries. Tells which of them are gone; before Redis 7, of those at the stream's front. */
  async renew(ids: readonly string[]): Promise<string[]> {
    const there: string[] = []
    for (const some of chunksOf(ids)) {
      const reply = await this.#send(['XCLAIM', this.key, GROUP, this.consumer, '0', ...some, 'JUSTID'])
      there.push(...(Array.isArray(reply) ? reply.map(textOf) : some))
    }
    const trimmed = new Set(this.#tellsGone ? [] : await this.#forgetTrimmed(there))
    const held = new Set(there.filter((id) => !trimmed.has(id)))
    return ids.filter((id) => !held.has(id))
  }

  /** Takes ids off the list of what is held whose entries were trimmed: before Redis 7 they stay on it. */
  async #forgetTrimmed(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return []
    const { first } = await this.state()
    const trimmed = first === undefined ? [...ids] : ids.filter((id) => compareIds(id, first) < 0)
    await this.#forget(trimmed)
    return trimmed
  }

  /**
   * Takes ids off the list of what is held whose entries are gone, and tells which. Before Redis 7 they stay on it when they are
   * claimed, and are claimed without their ids.
   */
  async forgetGone(ids: readonly string[]): Promise<string[]> {
    const gone: string[] = []
    for (const some of chunksOf(ids)) {
      const replies = await this.#connection.transaction(
        some.map((id) => ['XRANGE', this.key, id, id]),
        this.key,
      )
      throwFirst(replies)
      gone.push(...some.filter((_, index) => entriesOf(replies[index]).length === 0))
    }
    await this.#forget(gone)
    return gone
  }

  async #forget(ids: readonly string[]): Promise<void> {
    for (const some of chunksOf(ids)) await this.#send(['XACK', this.key, GROUP, ...some])
  }

  /** The ids that this process has, of those that it believes it has. */
  async stillHeld(): Promise<Set<string>> {
    const held = new Set<string>()
    for (let from = '-'; ; ) {
      const command = ['XPENDING', this.key, GROUP, from, '+', String(IDS_AT_ONCE), this.consumer]
      const rows = rowsOf(await this.#send(command))
      for (const [id] of rows) held.add(textOf(id))
      const last = rows.at(-1)?.[0]
      if (rows.length < IDS_AT_ONCE || last === undefined) return held
      from = `(${textOf(last)}`
    }
  }

  /** Takes entries anew that this process has. Those that are gone are left out. */
  async takeAgain(ids: readonly string[]): Promise<Entry[]> {
    const entries: Entry[] = []
    for (const some of chunksOf(ids))
      entries.push(...entriesOf(await this.#send(['XCLAIM', this.key, GROUP, this.consumer, '0', ...some])))
    return entries
  }

  /** Takes entries over from consumers of which nothing was heard for so long. */
  async claim(idleMs: number, most: number): Promise<Claimed> {
    const entries: Entry[] = []
    const gone: string[] = []
    let untold = 0
    for (let cursor = '0-0'; ; ) {
      const command = [
        'XAUTOCLAIM',
        this.key,
        GROUP,
        this.consumer,
        String(idleMs),
        cursor,
        'COUNT',
        String(most),
      ]
      const reply = await this.#send(command)
      if (!Array.isArray(reply)) break
      const claimed = entriesOf(reply[1])
      entries.push(...claimed)
      this.#tellsGone = Array.isArray(reply[2])
      if (Array.isArray(reply[2])) gone.push(...reply[2].map(textOf))
      else if (Array.isArray(reply[1])) untold += reply[1].length - claimed.length
      cursor = textOf(reply[0])
      if (cursor === '0-0' || entries.length >= most) break
    }
    return { entries, gone, untold, deliveries: await this.#deliveriesOf(entries) }
  }

  /** Leaves entries to whoever looks next. */
  async giveBack(ids: readonly string[]): Promise<void> {
    const given = ['IDLE', String(GIVEN_BACK_IDLE_MS), 'RETRYCOUNT', '0', 'JUSTID']
    for (const some of chunksOf(ids))
      await this.#send(['XCLAIM', this.key, GROUP, this.consumer, '0', ...some, ...given])
  }

  /** Takes consumers off that have nothing, and of which nothing was heard for so long. */
  async removeDead(idleMs: number): Promise<void> {
    const reply = await this.#send(['XINFO', 'CONSUMERS', this.key, GROUP])
    for (const each of Array.isArray(reply) ? reply : []) {
      const consumer = mapOf(each)
      if (Number(consumer.get('pending')) > 0 || Number(consumer.get('idle')) < idleMs) continue
      const name = textOf(consumer.get('name'))
      if (name !== this.consumer) await this.#send(['XGROUP', 'DELCONSUMER', this.key, GROUP, name])
    }
  }

  /** Removes what was set aside thirty days ago. */
  async removeOldAside(): Promise<void> {
    await this.#send(['XTRIM', this.#aside, 'MINID', '~', String(wallTime() - MAX_ASIDE_AGE_MS)])
  }

  /** Keeps a call for a person to look at. */
  async setAside(
    call: StoredCall,
    reason: AsideReason | 'damaged',
    detail: string | undefined,
  ): Promise<void> {
    const fields = [...fieldsOf(call, this.consumer), 'reason', reason, 'detail', detail ?? '']
    await this.#send(['XADD', this.#aside, 'MAXLEN', '~', String(MOST_ASIDE), '*', ...fields])
  }

  /** Keeps what is no call. */
  async setEntryAside({ id, fault, fields }: Entry): Promise<void> {
    const more = ['reason', 'damaged', 'detail', `the entry ${id} is no call: ${fault}`]
    await this.#send(['XADD', this.#aside, 'MAXLEN', '~', String(MOST_ASIDE), '*', ...fields, ...more])
  }

  /** How many entries there are, the id of the first, and of the last that ever was. */
  async state(): Promise<{
    readonly length: number
    readonly first: string | undefined
    readonly last: string
  }> {
    const info = mapOf(await this.#send(['XINFO', 'STREAM', this.key]))
    const first = info.get('first-entry')
    return {
      length: Number(info.get('length')),
      first: Array.isArray(first) ? textOf(first[0]) : undefined,
      last: textOf(info.get('last-generated-id') ?? '0-0'),
    }
  }

  /** How many entries there are, and when the call of the first was made. */
  async waiting(): Promise<Waiting> {
    const info = mapOf(await this.#send(['XINFO', 'STREAM', this.key]))
    const [first] = entriesOf([info.get('first-entry')])
    return { calls: Number(info.get('length')), oldestAt: first?.call?.madeAt }
  }

  /** Goes through the entries that wait or are held, and through those that were set aside. */
  async *all(which: 'calls' | 'aside'): AsyncGenerator<Entry> {
    const key = which === 'calls' ? this.key : this.#aside
    for (let from = '-'; ; ) {
      const some = entriesOf(await this.#send(['XRANGE', key, from, '+', 'COUNT', String(IDS_AT_ONCE)]))
      yield* some
      const last = some.at(-1)
      if (!last || some.length < IDS_AT_ONCE) return
      from = `(${last.id}`
    }
  }

  /** Bytes that the stream takes in Redis; `undefined` where that may not be asked. */
  async bytes(): Promise<number | undefined> {
    const reply = await this.#send(['MEMORY', 'USAGE', this.key]).catch(() => undefined)
    return typeof reply === 'number' ? reply : undefined
  }

  /** Lets calls that were set aside wait again, as if they were made at that time. */
  async retry(entries: readonly { readonly id: string; readonly call: StoredCall }[]): Promise<void> {
    for (let from = 0; from < entries.length; from += IDS_AT_ONCE) {
      const some = entries.slice(from, from + IDS_AT_ONCE)
      const added = some.map(({ call }) => ['XADD', this.key, '*', ...fieldsOf(call, this.consumer)])
      const removed = ['XDEL', this.#aside, ...some.map(({ id }) => id)]
      throwFirst(await this.#connection.transaction([...added, removed], this.key))
    }
  }

  /** The entries that processes hold, by their ids. What a process has given back is nobody's. */
  async heldByAnybody(): Promise<Map<string, Holder>> {
    const held = new Map<string, Holder>()
    for (let from = '-'; ; ) {
      const command = ['XPENDING', this.key, GROUP, from, '+', String(IDS_AT_ONCE)]
      const rows = rowsOf(await this.#send(command).catch(nothingWithout))
      for (const [id, consumer, idle] of rows)
        if (Number(idle) < LONGEST_HELD_MS)
          held.set(textOf(id), { consumer: textOf(consumer), idleMs: Number(idle) })
      const last = rows.at(-1)?.[0]
      if (rows.length < IDS_AT_ONCE || last === undefined) return held
      from = `(${textOf(last)}`
    }
  }

  /** Removes entries that nobody holds, or that were set aside. */
  async erase(which: 'calls' | 'aside', ids: readonly string[]): Promise<void> {
    // What a process has given back is off its list, too: it would be missed there.
    for (const some of chunksOf(ids))
      await (which === 'calls' ? this.remove(some) : this.#send(['XDEL', this.#aside, ...some]))
  }

  #readCommand(most: number): string[] {
    return ['XREADGROUP', 'GROUP', GROUP, this.consumer, 'COUNT', String(most), 'STREAMS', this.key, '>']
  }

  async #deliveriesOf(entries: readonly Entry[]): Promise<Map<string, number>> {
    const [first, last] = [entries[0], entries.at(-1)]
    if (!first || !last) return new Map()
    const count = String(entries.length)
    const command = ['XPENDING', this.key, GROUP, first.id, last.id, count, this.consumer]
    return new Map(rowsOf(await this.#send(command)).map((row) => [textOf(row[0]), Number(row[3])]))
  }

  #send(command: readonly string[]): Promise<Reply> {
    return this.#connection.send(command, this.key)
  }
}

/** A stream that nobody has opened has no group, and nobody holds anything of it. */
function nothingWithout(error: unknown): undefined {
  if (!isError(error, 'NOGROUP') && !isError(error, 'no such key')) throw error
  return undefined
}

/** Whether Redis has answered with an error of a kind. */
export function isError(error: unknown, kind: string): boolean {
  return error instanceof Error && error.message.includes(kind)
}

function throwFirst(replies: readonly Reply[]): void {
  const failure = replies.find((reply) => reply instanceof Error)
  if (failure !== undefined) throw failure
}

function rowsOf(reply: Reply): unknown[][] {
  return Array.isArray(reply) ? reply.filter((row) => Array.isArray(row)) : []
}

/** Parts ids into as many as a command gets. */
export function* chunksOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) yield ids.slice(from, from + IDS_AT_ONCE)
}
