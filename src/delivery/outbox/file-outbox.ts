import { randomBytes } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { clearTimeout, setImmediate, setTimeout, wallTime } from '../../support/clock.js'
import { addAside, removeOldAside } from './aside.js'
import type { CallStore, TellProblem } from './call-store.js'
import { FILE_MODE, makeDirectory, newStoreName, removeLeftovers } from './directory.js'
import { isTaken } from './engine.js'
import { eraseAside, isOf } from './erasure.js'
import { LeftStores, readFrom } from './left-stores.js'
import { LevelStore } from './level-store.js'
import type {
  AsideReason,
  Erased,
  Erasure,
  OpenOutbox,
  OutboxSession,
  StoredCall,
  TakenCall,
  TakeOptions,
} from './outbox.js'
import { StoreReceipt } from './store-receipt.js'

const MOST_TRIES = 3
/** Milliseconds between two looks for what was set aside too long ago. */
const ASIDE_CHECK_MS = 60 * 60 * 1_000
/** Milliseconds between looks for the stores of ended processes. */
const LOOK_INTERVAL_MS = 5_000

/** An outbox in a directory: a store of its own for each process, and those that ended processes have left. */
export class FileOutbox implements OpenOutbox {
  readonly #directory: string
  readonly #session: OutboxSession
  readonly #own: CallStore
  readonly #left: LeftStores
  /** The number of the newest call that is written, and of the newest that is being written. */
  #written = 0
  #next = 1
  /** Written calls that were not handed out, and the number from which on they are read. */
  #waiting = 0
  #readFrom = 0
  /** When what was set aside is looked at next. */
  #asideCheckAt = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(directory: string, name: string, own: CallStore, session: OutboxSession) {
    this.#directory = directory
    this.#own = own
    this.#session = session
    this.#left = new LeftStores(directory, name, session.writeKeyHash, this.#tell)
  }

  /** Makes the store of this process, and looks for those of ended ones when its first calls were written. */
  static async open(given: string, session: OutboxSession): Promise<FileOutbox> {
    await makeDirectory(given)
    // Every store needs one path, however the directory was named.
    const directory = await realpath(given)
    await removeLeftovers(directory)
    for (let tries = 1; ; tries++) {
      const name = newStoreName(randomBytes(4).toString('hex'))
      try {
        const store = await LevelStore.make(join(directory, name), {
          damaged: (line) => addAside(directory, line, FILE_MODE).catch(() => false),
          unknown: () => {},
          missing: () => {},
        })
        const opened = new FileOutbox(directory, name, store, session)
        if (session.sends) setImmediate(() => opened.#look())
        return opened
      } catch (error) {
        // Another process opened the new store first: try another name.
        if (tries === MOST_TRIES || !isTaken(error)) throw error
      }
    }
  }

  async write(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    const numbered = calls.map((call) => ({ number: this.#next++, call }))
    await this.#own.write(numbered)
    this.#written = numbered.at(-1)?.number ?? this.#written
    // What was written before and waits comes first.
    const handed = this.#waiting > 0 ? [] : numbered.slice(0, room)
    if (this.#waiting === 0) this.#readFrom = numbered[handed.length]?.number ?? this.#next
    this.#waiting += numbered.length - handed.length
    return handed.map(({ number, call }) => ({
      ...call,
      isOwn: true,
      receipt: new StoreReceipt(this.#own, number),
    }))
  }

  async take(most: number, { onlyOwn = false }: TakeOptions = {}): Promise<TakenCall[]> {
    const left = onlyOwn ? [] : await this.#left.take(most)
    if (left.length === most || this.#waiting === 0) return left
    return [...left, ...(await this.#takeOwn(most - left.length))]
  }

  async settle(receipts: readonly unknown[]): Promise<void> {
    const numbers = new Map<CallStore, number[]>()
    for (const receipt of receipts) {
      if (!(receipt instanceof StoreReceipt)) continue
      const known = numbers.get(receipt.store)
      if (known) known.push(receipt.number)
      else numbers.set(receipt.store, [receipt.number])
    }
    let failure: unknown
    for (const [store, some] of numbers) {
      try {
        await store.remove(some)
        this.#left.settled(store, some.length)
      } catch (error) {
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    const { type, messageId, madeAt, text } = call
    const { writeKeyHash } = this.#session
    const at = { at: new Date(), madeAt: new Date(madeAt) }
    const head = JSON.stringify({
      reason,
      detail,
      ...at,
      ...(writeKeyHash && { writeKeyHash }),
      type,
      messageId,
    })
    await addAside(this.#directory, `${head.slice(0, -1)},"params":${text}}`, FILE_MODE)
  }

  async erase(whose: Erasure): Promise<Erased> {
    await this.#looking
    const waiting = await this.#left.erase(whose)
    const { writeKeyHash } = this.#session
    const isOurs = (hash: string | undefined) => !hash || !writeKeyHash || hash === writeKeyHash
    const aside = await eraseAside(this.#directory, whose, isOurs)
    const own: number[] = []
    let held = waiting.held + (await this.#left.countElsewhere(whose))
    for await (const { number, text } of readFrom(this.#own, -1)) {
      if (!isOf(whose, text)) continue
      if (this.#waiting > 0 && number >= this.#readFrom) own.push(number)
      else held++
    }
    if (own.length > 0) await this.#own.remove(own)
    this.#waiting -= own.length
    if (own.length > 0) this.#session.lost(own.length)
    return { erased: own.length + waiting.erased + aside, held }
  }

  isThere(): Promise<boolean> {
    return this.#own.isThere()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
    const failures: unknown[] = []
    for (const store of [...this.#left.giveUp(), this.#own])
      await store.close().catch((error: unknown) => failures.push(error))
    await this.#left.closed()
    if (failures.length > 0) throw failures[0]
  }

  readonly #tell: TellProblem = (problem, error, lost) => this.#session.problem(problem, error, lost)

  async #takeOwn(most: number): Promise<TakenCall[]> {
    const waiting = this.#waiting
    const read = await this.#own.read(this.#readFrom - 1, most)
    // What is being written at the moment is handed out by the one who writes it.
    const calls = read.filter(({ number }) => number <= this.#written)
    const last = calls.at(-1)
    if (last) this.#readFrom = last.number + 1
    const lost = calls.length < most ? Math.max(0, waiting - calls.length) : 0
    this.#waiting -= calls.length + lost
    if (lost > 0) this.#session.lost(lost)
    return calls.map(({ number, ...call }) => ({
      ...call,
      isOwn: true,
      receipt: new StoreReceipt(this.#own, number),
    }))
  }

  /** Adopts the stores of ended processes, now and from time to time. */
  #look(): void {
    if (this.#isClosed) return
    this.#looking = this.#adopt().then(() => {
      if (this.#isClosed) return
      this.#timer = setTimeout(() => this.#look(), LOOK_INTERVAL_MS)
      this.#timer.unref()
    })
  }

  async #adopt(): Promise<void> {
    if (!(await this.#own.isThere())) return
    try {
      if (wallTime() >= this.#asideCheckAt) {
        this.#asideCheckAt = wallTime() + ASIDE_CHECK_MS
        await removeOldAside(this.#directory)
      }
      await this.#left.adopt()
    } catch (error) {
      // A directory that vanishes meanwhile is noticed as such.
      if (await this.#own.isThere())
        this.#tell('the outbox cannot be searched for stores of ended processes at the moment', error)
    }
    if (this.#left.hasUnread) this.#session.ready()
  }
}
