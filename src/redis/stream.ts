import type { AsideReason, StoredCall, Waiting } from '../delivery/outbox/outbox.js'
import { wallTime } from '../support/clock.js'
import type { Connection, Reply } from './client.js'
import { chunksOf, GROUP, IDS_AT_ONCE, isError, throwFirst } from './commands.js'
import { type Entry, entriesOf, entriesOfRead, fieldsOf, mapOf, textOf } from './entry.js'
import { PendingEntries } from './pending-entries.js'

/** The most calls that are set aside; the oldest go. */
const MOST_ASIDE = 10_000
/** So long somebody may look at what was set aside, which is personal data. */
const MAX_ASIDE_AGE_MS = 30 * 24 * 60 * 60 * 1_000

/** What a group of calls has come to that was written. */
export interface Written {
  /** The ids of the calls, in their order. */
  readonly ids: readonly string[]
  /** What was taken with it; `undefined` where nothing could be read, for want of a consumer group. */
  readonly taken: readonly Entry[] | undefined
  /** How many entries the stream has now. */
  readonly length: number
}

/** The calls of one write key in Redis: a stream of those that wait, and one of those that were set aside. */
export class CallStream {
  readonly key: string
  readonly consumer: string
  /** Those of the calls that processes have. */
  readonly pending: PendingEntries
  readonly #aside: string
  readonly #none: string
  readonly #connection: Connection

  /** @param consumer - The name of this process among the consumers of the stream. */
  constructor(connection: Connection, prefix: string, writeKeyHash: string, consumer: string) {
    this.#connection = connection
    this.consumer = consumer
    // The braces keep all keys of a write key in one slot of a cluster.
    this.key = `${prefix}{${writeKeyHash}}:calls`
    this.#aside = `${prefix}{${writeKeyHash}}:aside`
    this.#none = `${prefix}{${writeKeyHash}}:none`
    const front = async () => (await this.state()).first
    this.pending = new PendingEntries(connection, this.key, consumer, front)
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

  /** Removes entries that nobody holds, or that were set aside. */
  async erase(which: 'calls' | 'aside', ids: readonly string[]): Promise<void> {
    // What a process has given back is off its list, too: it would be missed there.
    for (const some of chunksOf(ids))
      await (which === 'calls' ? this.remove(some) : this.#send(['XDEL', this.#aside, ...some]))
  }

  #readCommand(most: number): string[] {
    return ['XREADGROUP', 'GROUP', GROUP, this.consumer, 'COUNT', String(most), 'STREAMS', this.key, '>']
  }

  #send(command: readonly string[]): Promise<Reply> {
    return this.#connection.send(command, this.key)
  }
}
