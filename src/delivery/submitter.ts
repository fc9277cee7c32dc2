import type { Client } from './client.js'
import type { Gate } from './gate.js'
import { callOf, type PendingCall } from './pending-call.js'
import { WaitingRoom } from './waiting-room.js'

/** What is needed to hand calls in to a client. */
export interface HandingInParts {
  readonly client: Client
  readonly gate: Gate
  /** How many calls fill a batch. */
  readonly flushAt: number
  /** Milliseconds after which a batch goes although it is not full. */
  readonly flushInterval: number
  /** The newest call that somebody waits for; `undefined` where nobody waits. */
  awaited(): number | undefined
  /** Called before calls are handed in on a turn of their own: what has waited too long is not to go. */
  turn(): void
  /** There is room for calls that are elsewhere. */
  hungry(): void
  /** The client does not take a call. */
  refused(pending: PendingCall, error: unknown): void
  /** The client could not be flushed. */
  flushFailed(error: unknown): void
}

/**
 * Where calls wait, and what hands them in to the client: a few batches at a time, when they are full or their time has
 * come, and never on the turn on which the client tells an outcome, or while it is being flushed.
 */
export class HandingIn {
  readonly #parts: HandingInParts
  readonly #room = new WaitingRoom()
  readonly #suspects: PendingCall[] = []
  #handedIn = 0
  #flushing: Promise<void> | undefined
  #isScheduled = false
  /** Calls up to this one go although they fill no batch. */
  #due = 0
  #newest = 0
  #interval: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: HandingInParts) {
    this.#parts = parts
    parts.gate.onOpen(() => this.schedule())
    parts.client.onQuiet = () => this.schedule()
  }

  /** How many wait. */
  get size(): number {
    return this.#room.size + this.#suspects.length
  }

  /** The call whose turn it is. */
  get next(): PendingCall | undefined {
    return this.#room.next
  }

  /** The client's flush that is under way. */
  get flushing(): Promise<void> | undefined {
    return this.#flushing
  }

  /** A new call, behind all others. */
  add(pending: PendingCall): void {
    this.#room.add(pending)
    this.#newest = Math.max(this.#newest, pending.number)
    if (!this.#parts.client.isOwn) this.due(pending.number)
  }

  /** Calls up to this one go although they fill no batch. */
  due(number: number): void {
    this.#due = Math.max(this.#due, number)
  }

  /** A call that goes before all that are new. */
  giveBack(pending: PendingCall): void {
    this.due(pending.number)
    if (pending.isSuspect) this.#suspects.unshift(pending)
    else this.#room.giveBack(pending)
  }

  /** Takes the call whose turn it is out of the room. */
  take(): PendingCall | undefined {
    return this.#room.take()
  }

  /** Takes out whose turn it is among those numbered from `number` on. */
  takeFrom(number: number): PendingCall | undefined {
    return this.#room.takeFrom(number)
  }

  /** The client has told the outcome of a call. */
  settled(pending: PendingCall): void {
    this.#handedIn--
    pending.isHandedIn = false
    if (pending.isSuspect) this.#clear(pending)
  }

  /**
   * Segment has refused a batch with this call in it. A client of the application's own fails a batch as a whole: its
   * calls then go one at a time, so that only the one is lost that Segment refuses.
   */
  suspect(pending: PendingCall): void {
    pending.isSuspect = true
    this.#suspects.push(pending)
    this.schedule()
  }

  /** Sees to it that what waits goes when its batch is full, or its time has come. */
  gather(): void {
    if (this.#stopped) return
    const { client, flushAt, flushInterval } = this.#parts
    if (this.#room.size >= flushAt || !client.isOwn) return this.#handInBatches()
    if (this.#interval) return
    this.#interval = setTimeout(() => {
      this.#interval = undefined
      this.due(this.#newest)
      this.#handInBatches()
    }, flushInterval)
    this.#interval.unref()
  }

  /** Goes on with what waits, on a later turn: the client takes nothing while it tells an outcome. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#advance()
    })
  }

  /** Hands in no more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#interval)
  }

  /** The most calls that the client may have: fewer than two batches would let one of them wait for the other. */
  get #window(): number {
    const { flushAt, gate } = this.#parts
    return flushAt * Math.max(2, gate.limit)
  }

  get #isOpen(): boolean {
    const { isOpen } = this.#parts.gate
    return isOpen && this.#flushing === undefined && this.#suspects.length === 0 && !this.#stopped
  }

  #handInBatches(): void {
    const { client, flushAt } = this.#parts
    while (this.#isOpen) {
      const { next } = this.#room
      if (!next || (!client.isOwn && next.number > (this.#parts.awaited() ?? next.number))) return
      const isDue = next.number <= this.#due
      if (!isDue && this.#room.size < flushAt) return this.gather()
      const size = client.isOwn ? flushAt : 1
      if (this.#handedIn > 0 && this.#handedIn + size > this.#window) return
      for (let count = 0; count < size; count++) {
        const pending = this.#room.take()
        if (!pending) break
        this.#handIn(pending)
      }
    }
  }

  #advance(): void {
    const { client } = this.#parts
    if (this.#flushing || this.#stopped) return
    this.#parts.turn()
    const isAlone = this.#handInSuspect()
    this.#handInBatches()
    if (this.#room.size < this.#window) this.#parts.hungry()
    if (client.isOwn || this.#handedIn === 0 || !client.isQuiet) return
    if (isAlone || this.#isAllIn()) this.#flush()
  }

  /** Whether everything that somebody waits for is with the client, of which the last may wait for its batch to fill. */
  #isAllIn(): boolean {
    const awaited = this.#parts.awaited()
    if (awaited === undefined) return false
    const { next } = this.#room
    return !next || next.number > awaited
  }

  #handIn(pending: PendingCall): void {
    const call = callOf(pending)
    pending.call = call
    pending.isHandedIn = true
    this.#handedIn++
    try {
      this.#parts.client.call(call)
    } catch (error) {
      this.settled(pending)
      this.#parts.refused(pending, error)
    }
  }

  /** @returns Whether the client has nothing but a call that is sent by itself. */
  #handInSuspect(): boolean {
    const [suspect] = this.#suspects
    if (!suspect || !this.#parts.gate.isOpen) return false
    if (this.#handedIn === 0) this.#handIn(suspect)
    return suspect.isHandedIn
  }

  /** Sends the client's batch that is not full. Calls that came meanwhile would keep it from ending, so they wait. */
  #flush(): void {
    this.#flushing = this.#parts.client
      .flush()
      .catch((error: unknown) => this.#parts.flushFailed(error))
      .then(() => {
        this.#flushing = undefined
        this.schedule()
      })
  }

  #clear(suspect: PendingCall): void {
    if (this.#suspects[0] === suspect) this.#suspects.shift()
  }
}
