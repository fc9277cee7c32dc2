import type {
  AsideReason,
  Erased,
  Erasure,
  OpenOutbox,
  OutboxSession,
  StoredCall,
  TakenCall,
  Waiting,
} from '../delivery/outbox/outbox.js'
import { setTimeout } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import type { Connection } from './client.js'
import type { Entry } from './entry.js'
import { eraseCalls } from './erasure.js'
import { HeldEntries } from './held-entries.js'
import { compareIds, LeftEntries } from './left-entries.js'
import { Closed, Patience } from './patience.js'
import { type CallStream, isError } from './stream.js'
import { Waiter } from './waiter.js'

/** The most entries that are taken at once to make room. */
const MOST_EVICTED = 1_000
/** Milliseconds that giving back may take when the outbox is closed. */
const CLOSE_MS = 900
/** How often what this process has is given back when the outbox is closed. */
const LOOKS_AT_THE_END = 2
const BETWEEN_LOOKS_MS = 100
/** The share of a new call in the mean size of one. */
const NEW_SHARE = 1 / 64
/** What an entry takes in Redis besides its text. */
const ENTRY_BYTES = 160

/** How much the stream may hold, and when a process counts as dead. */
export interface StreamLimits {
  readonly maxCalls: number
  readonly maxBytes: number
  /** Milliseconds. */
  readonly claimAfter: number
  readonly maxClaims: number
}

/** What a write has come to. */
interface Write {
  readonly taken: TakenCall[]
  /** The ids of what was written. */
  readonly ids: readonly string[]
}

/** An outbox on a stream of Redis: what any process has written, any takes. */
export class StreamOutbox implements OpenOutbox {
  readonly #stream: CallStream
  readonly #session: OutboxSession
  readonly #limits: StreamLimits
  readonly #patience: Patience
  readonly #held: HeldEntries
  readonly #left = new LeftEntries()
  readonly #waiter: Waiter
  /** Taken already, and to be handed out with the next `take`. */
  #buffer: TakenCall[] = []
  /** The id of the newest call that this process has written. */
  #newest = '0-0'
  /** How many entries the stream had when that was last heard. */
  #length = 0
  #meanBytes = 1_024
  /** Calls that make room, and are in the stream until they are settled. */
  readonly #evicted = new Set<unknown>()
  #isEvicting = false
  /** Resolves when the last write has its answer. */
  #writing: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(connection: Connection, stream: CallStream, session: OutboxSession, limits: StreamLimits) {
    this.#stream = stream
    this.#session = session
    this.#limits = limits
    this.#patience = new Patience(connection, session.troubled, () => this.#recover())
    const ready = async (entries: readonly Entry[]) => {
      // The answer to the write that these were written with may come later, on the other connection.
      await this.#writing
      this.#buffer.push(...this.#taken(entries))
      session.ready()
    }
    this.#waiter = new Waiter(
      connection,
      stream,
      (entries) => void ready(entries),
      () => this.#isClosed,
    )
    this.#held = new HeldEntries(stream, this.#patience, limits, session, (claimed) => {
      this.#buffer.push(...claimed.flatMap(({ entry, refusal }) => this.#taking(entry, refusal)))
      session.ready()
    })
  }

  /** Makes the stream, without waiting for a Redis that is away. */
  start(): void {
    const made = this.#patience.until(() => this.#stream.create())
    made.then(
      () => {
        if (this.#session.sends) this.#held.watch(() => this.#buffer.length === 0)
        this.#session.ready()
      },
      () => {},
    )
  }

  async write(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    return this.#takenWith(this.#patience.until(() => this.#write(calls, room)))
  }

  /** As `write`, but rejects where Redis does not take them now. */
  async writeOnce(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    return this.#takenWith(
      this.#patience.once(
        () => this.#write(calls, room),
        // They are elsewhere by now.
        ({ ids }) => void this.settleOnce(ids).catch(() => {}),
      ),
    )
  }

  async #takenWith(writing: Promise<Write>): Promise<TakenCall[]> {
    this.#writing = writing.then(
      () => {},
      () => {},
    )
    return (await writing).taken
  }

  async take(most: number): Promise<TakenCall[]> {
    try {
      return await this.#take(most, (work) => this.#patience.until(work))
    } catch (error) {
      if (error instanceof Closed) return []
      throw error
    }
  }

  /** As `take`, but rejects where Redis does not answer now. */
  takeOnce(most: number): Promise<TakenCall[]> {
    return this.#take(most, (work) => this.#patience.once(work))
  }

  async #take(most: number, patiently: <T>(work: () => Promise<T>) => Promise<T>): Promise<TakenCall[]> {
    const wanted = most - this.#buffer.length
    if (wanted <= 0) return this.#buffer.splice(0, most)
    const newest = this.#newest
    const entries = await patiently(() => this.#read(wanted))
    const read = this.#taken(entries)
    // The buffer may have got more meanwhile.
    const taken = [...this.#buffer.splice(0, most - read.length), ...read]
    // Nothing else waits: what was written before, and is not here, others have taken.
    if (entries.length < wanted) {
      this.#passed(newest)
      this.#waiter.wait(wanted)
    }
    return taken
  }

  /** As `settle`, but rejects where Redis does not answer now. */
  async settleOnce(receipts: readonly unknown[]): Promise<void> {
    const ids = receipts.filter((receipt) => typeof receipt === 'string')
    if (ids.length > 0) await this.#patience.once(() => this.#stream.remove(ids))
    this.#removed(ids)
  }

  #removed(ids: readonly string[]): void {
    this.#held.remove(ids)
    this.#length = Math.max(0, this.#length - ids.length)
    for (const id of ids) this.#evicted.delete(id)
  }

  async settle(receipts: readonly unknown[]): Promise<void> {
    const ids = receipts.filter((receipt) => typeof receipt === 'string')
    if (ids.length === 0) return
    await this.#patience.until(() => this.#stream.remove(ids))
    this.#removed(ids)
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    await this.#patience.once(() => this.#stream.setAside(call, reason, detail))
  }

  async erase(whose: Erasure): Promise<Erased> {
    const { erased, held } = await eraseCalls(this.#stream, whose)
    return { erased, held }
  }

  waiting(): Promise<Waiting> {
    return this.#patience.once(() => this.#stream.waiting())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#held.stop()
    this.#waiter.close()
    await answerWithin(this.#giveBack(), CLOSE_MS)
    this.#patience.close()
  }

  /** Whether Redis is away. */
  get isTroubled(): boolean {
    return this.#patience.isTroubled
  }

  abandon(): void {
    this.#isClosed = true
    this.#held.stop()
    this.#waiter.close()
    this.#patience.close()
  }

  /** Gives back what Redis says that this process has: a read that was under way may have got more than was ever handed on. */
  async #giveBack(): Promise<void> {
    if (this.#patience.isTroubled || !this.#session.sends) return
    const given = new Set<string>()
    for (let look = 0; look < LOOKS_AT_THE_END; look++) {
      const ids = [...(await this.#stream.stillHeld())].filter((id) => !given.has(id))
      await this.#stream.giveBack(ids)
      for (const id of ids) given.add(id)
      // The end of the connection on which a read waited may reach Redis later than a command on another one.
      if (look + 1 < LOOKS_AT_THE_END) await pause(BETWEEN_LOOKS_MS)
    }
  }

  async #write(calls: readonly StoredCall[], room: number): Promise<Write> {
    const { ids, taken, length } = await this.#stream.write(calls, room)
    for (const { text } of calls)
      this.#meanBytes += (Buffer.byteLength(text) + ENTRY_BYTES - this.#meanBytes) * NEW_SHARE
    this.#length = length
    const last = ids.at(-1)
    if (last !== undefined) this.#newest = last
    if (last !== undefined && this.#session.sends) {
      this.#left.add(last, {
        calls: calls.length,
        characters: calls.reduce((all, { text }) => all + text.length, 0),
      })
    }
    if (!taken) await this.#remake()
    const entries = taken ?? (room > 0 ? await this.#stream.read(room) : [])
    const handed = this.#taken(entries)
    if (last !== undefined && room > 0 && entries.length < room) this.#passed(last)
    this.#makeRoom()
    return { taken: handed, ids }
  }

  async #read(most: number): Promise<Entry[]> {
    try {
      return await this.#stream.read(most)
    } catch (error) {
      if (!isError(error, 'NOGROUP')) throw error
      await this.#remake()
      return this.#stream.read(most)
    }
  }

  /** Entries were taken: they are this process's, and what came before them in the stream is somebody's. */
  #taken(entries: readonly Entry[]): TakenCall[] {
    const calls = entries.flatMap((entry) => this.#taking(entry))
    const last = entries.at(-1)
    if (last) this.#passed(last.id)
    return calls
  }

  #taking(entry: Entry, refusal?: string): TakenCall[] {
    const { id, call, writer } = entry
    if (!call) {
      this.#setEntryAside(entry)
      return []
    }
    this.#held.add(id)
    const isOwn = writer === this.#stream.consumer && this.#left.take(id, call.text.length)
    const { writeKeyHash } = this.#session
    return [
      { ...call, ...(writeKeyHash && { writeKeyHash }), receipt: id, isOwn, ...(refusal && { refusal }) },
    ]
  }

  /** Something that no version of this package has written. */
  #setEntryAside(entry: Entry): void {
    this.#session.problem('the stream has entries that are no calls: they are set aside', undefined, 1)
    const removed = this.#patience.until(async () => {
      await this.#stream.setEntryAside(entry)
      await this.#stream.remove([entry.id])
    })
    removed.catch(() => {})
  }

  /** Everything up to an id was handed out to somebody. */
  #passed(upTo: string): void {
    const { calls, characters } = this.#left.passed(upTo)
    if (calls > 0) this.#session.relayed(calls, characters)
  }

  /** Takes the oldest calls out where there are too many. */
  #makeRoom(): void {
    const { maxCalls, maxBytes } = this.#limits
    const over =
      this.#length - this.#evicted.size - Math.min(maxCalls, Math.floor(maxBytes / this.#meanBytes))
    if (over <= 0 || this.#isEvicting) return
    this.#isEvicting = true
    const evicting = this.#patience.once(() => this.#read(Math.min(over, MOST_EVICTED)))
    evicting.then(
      (entries) => {
        const evicted = this.#taken(entries)
        for (const { receipt } of evicted) this.#evicted.add(receipt)
        this.#isEvicting = false
        if (evicted.length === 0) return
        this.#session.evicted(evicted)
        this.#makeRoom()
      },
      () => {
        this.#isEvicting = false
      },
    )
  }

  /** Redis was away: it may have come back with older data, or none. */
  async #recover(): Promise<void> {
    if (await this.#stream.create()) return this.#vanished()
    const { last } = await this.#stream.state()
    if (compareIds(last, this.#newest) >= 0) return
    const { calls } = this.#left.vanished(last)
    this.#newest = last
    this.#session.problem('Redis has come back with older data: calls that waited in it may be lost')
    if (calls > 0) this.#session.lost(calls)
  }

  async #remake(): Promise<void> {
    if (await this.#stream.create()) await this.#vanished()
  }

  /** The stream or its group was gone, and is made anew: what was written before what it has now is lost. */
  async #vanished(): Promise<void> {
    const waited = this.#length
    const { length, first } = await this.#stream.state()
    const { calls } = this.#left.passed(first === undefined ? this.#newest : idBefore(first))
    this.#length = length
    if (waited === 0 && calls === 0) return
    this.#session.problem(
      `Redis has lost its data: about ${waited} calls were in the stream when it was last seen`,
    )
    if (calls > 0) this.#session.lost(calls)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** The id before an id. */
function idBefore(id: string): string {
  const [ms = '0', number = '0'] = id.split('-')
  return Number(number) > 0 ? `${ms}-${Number(number) - 1}` : `${Number(ms) - 1}-${Number.MAX_SAFE_INTEGER}`
}
