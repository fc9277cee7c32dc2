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
import { LONGEST_PAUSE_MS, nothingIfClosed } from '../delivery/outbox/retries.js'
import { nextTurn, setTimeout } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import { AnswerOrder } from './answer-order.js'
import type { Connection } from './client.js'
import { chunksOf, isError } from './commands.js'
import type { Entry } from './entry.js'
import { eraseCalls } from './erasure.js'
import { type ClaimLimits, HeldEntries } from './held-entries.js'
import { OwnWrites } from './own-writes.js'
import { Patience } from './patience.js'
import type { CallStream, Written } from './stream.js'
import { type SizeLimits, StreamSize } from './stream-size.js'
import { Waiter } from './waiter.js'

/** The most entries that are taken at once to make room. */
const MOST_EVICTED = 1_000
/** Milliseconds that giving back may take when the outbox is closed. */
const CLOSE_MS = 900
/** How often what this process has is given back when the outbox is closed. */
const LOOKS_AT_THE_END = 2
const BETWEEN_LOOKS_MS = 100
/** Somebody else has removed calls. */
const GONE = 'calls are gone from the stream in Redis: was it trimmed or evicted?'

/** How much the stream may hold, and when a process counts as dead. */
export interface StreamLimits extends SizeLimits, ClaimLimits {}

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
  readonly #patience: Patience
  readonly #held: HeldEntries
  readonly #writes: OwnWrites
  readonly #size: StreamSize
  readonly #answers = new AnswerOrder()
  readonly #waiter: Waiter
  /** Taken already, and to be handed out with the next `take`. */
  #buffer: TakenCall[] = []
  #isEvicting = false
  /** Answers to reads that waited, which are not taken in yet. */
  #finding = 0

  constructor(connection: Connection, stream: CallStream, session: OutboxSession, limits: StreamLimits) {
    this.#stream = stream
    this.#session = session
    this.#size = new StreamSize(limits)
    this.#writes = new OwnWrites({
      isUnderWay: () => this.#waiter.isWaiting || this.#finding > 0,
      relayed: (calls, characters) => session.relayed(calls, characters),
    })
    // When Redis is back, others wait for half of the claim time until they take over what a process has that says nothing.
    const longestPauseMs = Math.min(LONGEST_PAUSE_MS, limits.claimAfter / 4)
    this.#patience = new Patience(connection, session.troubled, () => this.#recover(), longestPauseMs)
    const ready = async (entries: readonly Entry[]) => {
      this.#finding++
      // The answer to the write that these were written with may come later, on the other connection.
      this.#buffer.push(...(await this.#answers.take(Promise.resolve(entries), () => this.#taken(entries))))
      this.#finding--
      session.ready()
    }
    this.#waiter = new Waiter(connection, stream, (entries) => void ready(entries))
    this.#held = new HeldEntries(stream, this.#patience, limits, {
      claimed: (claimed) => {
        this.#buffer.push(...claimed.flatMap(({ entry, refusal }) => this.#taking(entry, refusal)))
        session.ready()
      },
      robbed: (ids) => this.#robbed(ids),
      gone: (ids) => this.#gone(ids),
      trimmed: (ids) => this.#trimmed(ids),
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
    let tries = 0
    const again = async () => {
      const owed = tries++ === 0 ? calls : this.#session.owed(calls)
      return owed.length > 0 ? this.#write(owed, room) : { taken: [], ids: [] }
    }
    return (await this.#patience.until(again)).taken
  }

  /** As `write`, but rejects where Redis does not take them now. */
  async writeOnce(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    const written = await this.#patience.once(
      () => this.#write(calls, room),
      ({ ids, taken }) => this.#writtenLate(ids, taken),
    )
    return written.taken
  }

  /** What was written is elsewhere by now; what was taken with it is this process's. */
  #writtenLate(ids: readonly string[], taken: readonly TakenCall[]): void {
    this.settleOnce(ids).catch(() => {})
    const written = new Set<unknown>(ids)
    this.#buffer.push(...taken.filter(({ receipt }) => !written.has(receipt)))
    if (this.#buffer.length > 0) this.#session.ready()
  }

  take(most: number): Promise<TakenCall[]> {
    return this.#take(most, (work) => this.#patience.until(work)).catch(nothingIfClosed)
  }

  /** As `take`, but rejects where Redis does not answer now. */
  takeOnce(most: number): Promise<TakenCall[]> {
    return this.#take(most, (work) => this.#patience.once(work))
  }

  async #take(most: number, patiently: <T>(work: () => Promise<T>) => Promise<T>): Promise<TakenCall[]> {
    const wanted = most - this.#buffer.length
    if (wanted <= 0) return this.#buffer.splice(0, most)
    const { newest } = this.#writes
    const read = await patiently(() => this.#read(wanted))
    // Nothing else waits: what was written before, and is not here, others have taken.
    if (read.count < wanted) {
      this.#writes.passed(newest)
      this.#waiter.wait(wanted)
    }
    // The delivery gets to know of a write before it gets what was read after it.
    await nextTurn()
    // The buffer may have got more meanwhile.
    return [...this.#buffer.splice(0, most - read.taken.length), ...read.taken]
  }

  /** As `settle`, but rejects where Redis does not answer now. */
  async settleOnce(receipts: readonly unknown[]): Promise<void> {
    const ids = receipts.filter((receipt) => typeof receipt === 'string')
    if (ids.length > 0) await this.#patience.once(() => this.#remove(ids))
  }

  async settle(receipts: readonly unknown[]): Promise<void> {
    const ids = receipts.filter((receipt) => typeof receipt === 'string')
    if (ids.length > 0) await this.#patience.regardless(() => this.#remove(ids))
  }

  async #remove(ids: readonly string[]): Promise<void> {
    // The length that a later write says is without these: they are not to be taken off it once more.
    for (const some of chunksOf(ids))
      await this.#answers.take(this.#stream.remove(some), () => {
        this.#held.remove(some)
        this.#size.removed(some)
      })
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
    this.#held.stop()
    this.#waiter.close()
    this.#writes.stop()
    await answerWithin(this.#giveBack(), CLOSE_MS)
    this.#patience.close()
  }

  /** Whether Redis is away. */
  get isTroubled(): boolean {
    return this.#patience.isTroubled
  }

  abandon(): void {
    this.#held.stop()
    this.#waiter.close()
    this.#writes.stop()
    this.#patience.close()
  }

  /** Gives back what Redis says that this process has: a read that was under way may have got more than was ever handed on. */
  async #giveBack(): Promise<void> {
    if (this.#patience.isTroubled || !this.#session.sends) return
    const given = new Set<string>()
    for (let look = 0; look < LOOKS_AT_THE_END; look++) {
      const ids = [...(await this.#stream.pending.stillHeld())].filter((id) => !given.has(id))
      await this.#stream.pending.giveBack(ids)
      for (const id of ids) given.add(id)
      // The end of the connection on which a read waited may reach Redis later than a command on another one.
      if (look + 1 < LOOKS_AT_THE_END) await pause(BETWEEN_LOOKS_MS)
    }
  }

  async #write(calls: readonly StoredCall[], room: number): Promise<Write> {
    const written = await this.#answers.take(this.#stream.write(calls, room), (answer) =>
      this.#written(calls, room, answer),
    )
    let { taken } = written
    if (!written.hasGroup) {
      await this.#remake()
      if (room > 0) taken = (await this.#read(room)).taken
    }
    this.#makeRoom()
    return { taken, ids: written.ids }
  }

  /** Takes in the answer to a write. */
  #written(calls: readonly StoredCall[], room: number, { ids, taken, length }: Written) {
    this.#size.wrote(calls)
    this.#size.has(length)
    const last = ids.at(-1)
    if (last !== undefined) this.#writes.wrote(last)
    if (last !== undefined && this.#session.sends) this.#writes.wait(last, calls)
    const handed = this.#taken(taken ?? [])
    if (last !== undefined && taken && room > 0 && taken.length < room) this.#writes.passed(last)
    return { taken: handed, ids, hasGroup: taken !== undefined }
  }

  async #read(most: number): Promise<{ readonly taken: TakenCall[]; readonly count: number }> {
    try {
      return await this.#readNow(most)
    } catch (error) {
      if (!isError(error, 'NOGROUP')) throw error
      await this.#remake()
      return this.#readNow(most)
    }
  }

  #readNow(most: number): Promise<{ readonly taken: TakenCall[]; readonly count: number }> {
    return this.#answers.take(this.#stream.read(most), (entries) => ({
      taken: this.#taken(entries),
      count: entries.length,
    }))
  }

  /** Entries were taken: they are this process's, and what came before them in the stream is somebody's. */
  #taken(entries: readonly Entry[]): TakenCall[] {
    const calls = entries.flatMap((entry) => this.#taking(entry))
    const last = entries.at(-1)
    if (last) this.#writes.passed(last.id)
    return calls
  }

  #taking(entry: Entry, refusal?: string): TakenCall[] {
    const { id, call, writer } = entry
    if (!call) {
      this.#setEntryAside(entry)
      return []
    }
    // An answer that was late may be of entries that were found to be this process's meanwhile.
    if (this.#held.has(id)) return []
    this.#held.add(id)
    const isOwn = writer === this.#stream.consumer && this.#writes.take(id, call.text.length)
    const { writeKeyHash } = this.#session
    return [
      { ...call, ...(writeKeyHash && { writeKeyHash }), receipt: id, isOwn, ...(refusal && { refusal }) },
    ]
  }

  /** What this process had and has not handed out is others' now. */
  #robbed(ids: ReadonlySet<unknown>): void {
    const lost = this.#buffer.filter(({ receipt }) => ids.has(receipt))
    this.#buffer = this.#buffer.filter(({ receipt }) => !ids.has(receipt))
    for (const { isOwn, text } of lost) if (isOwn) this.#session.relayed(1, text.length)
    this.#session.robbed([...ids])
  }

  #gone(ids: readonly string[]): void {
    this.#session.problem(GONE)
    this.#session.gone(ids)
  }

  #trimmed(ids: readonly string[]): void {
    this.#session.problem(GONE)
    this.#session.trimmed(ids.map(storedAt))
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

  /** Takes the oldest calls out where there are too many. */
  #makeRoom(): void {
    const { excess } = this.#size
    if (excess <= 0 || this.#isEvicting) return
    this.#isEvicting = true
    const evicting = this.#patience.once(() => this.#read(Math.min(excess, MOST_EVICTED)))
    evicting.then(
      ({ taken: evicted }) => {
        for (const { receipt } of evicted) this.#size.evicts(receipt)
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
    await this.#stream.probe()
    if (await this.#stream.create()) return this.#vanished()
    if (this.#session.sends) await this.#held.takeForgotten()
    const { last } = await this.#stream.state()
    const calls = this.#writes.cutAfter(last)
    if (calls === undefined) return
    this.#session.problem('Redis has come back with older data: calls that waited in it may be lost')
    if (calls > 0) this.#session.lost(calls)
  }

  async #remake(): Promise<void> {
    if (await this.#stream.create()) await this.#vanished()
  }

  /** The stream or its group was gone, and is made anew: what was written before what it has now is lost. */
  async #vanished(): Promise<void> {
    const { calls: waited } = this.#size
    const { length, first } = await this.#stream.state()
    const calls = this.#writes.lostBefore(first)
    this.#size.has(length)
    this.#session.gone(this.#held.clear())
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

/** When an entry was stored, in milliseconds since 1970: its id begins with it. */
function storedAt(id: string): number {
  return Number(id.split('-')[0])
}
