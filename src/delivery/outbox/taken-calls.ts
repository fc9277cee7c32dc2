import { setTimeout } from '../../support/clock.js'
import { callsIn, placeOf } from './engine-answer.js'
import type { OpenOutbox, TakenCall } from './outbox.js'
import type { StoredCounts } from './stored-counts.js'
import type { LoadedCall, StoredQueueListener } from './stored-queue-listener.js'
import type { WatchedEngine } from './watched-engine.js'

/** How many calls are taken at a time. */
const TAKE_AT_ONCE = 200
/** Milliseconds after a failure to take before the next try. */
const RETRY_MS = 1_000

const FOREIGN = 'the outbox has handed out calls of another write key: they stay in it'

/** Whose calls are stored, and by whom they are sent. */
export interface QueueOptions {
  /** The outbox hands out no calls of other write keys. */
  readonly writeKeyHash: string | undefined
  /** Whether this process sends. */
  readonly sends: boolean
}

/** What calls are taken with. */
export interface TakenCallsParts {
  readonly engine: WatchedEngine
  readonly counts: StoredCounts
  readonly options: QueueOptions
  readonly listener: Pick<StoredQueueListener<unknown>, 'ready' | 'looked' | 'loaded' | 'placed' | 'troubled'>
  /** Writes every earlier call: what only the outbox is to hold can then be taken. */
  commit(): Promise<void>
}

/** Takes calls that memory does not hold: those made while it was full, and those of other processes. */
export class TakenCalls {
  readonly #parts: TakenCallsParts
  /** Calls that wait in the outbox although they were sent from memory. */
  readonly #sentFromMemory = new Set<string>()
  #isTaking = false
  #mayHaveMore = false
  #adopts = true
  #isOver = false

  constructor(parts: TakenCallsParts) {
    this.#parts = parts
  }

  /** Whether there may be calls to take. */
  get hasMore(): boolean {
    const { options, counts } = this.#parts
    return this.#mayHaveMore && options.sends && (this.#adopts || counts.left > 0)
  }

  /** Whether calls are being looked for, or are about to be. */
  get isLooking(): boolean {
    const { engine } = this.#parts
    return engine.isUsable && !engine.isClosed && (this.#isTaking || this.hasMore)
  }

  /** There may be calls to take. */
  ready(): void {
    this.#mayHaveMore = true
    if (!this.#parts.engine.isClosed) this.#parts.listener.ready()
  }

  /** There will be calls to take when the listener is told of what was just written. */
  expect(): void {
    this.#mayHaveMore = true
  }

  /** Memory has sent a call that waits in the outbox: nobody is to hear of it when it is taken. */
  sentFromMemory(messageId: string): void {
    this.#sentFromMemory.add(messageId)
  }

  /** Takes only calls that this process has written from now on. */
  stopAdopting(): void {
    this.#adopts = false
  }

  /** Leaves untold what is taken from now on: every call of this process has ended, or is left to others. */
  end(): void {
    this.#isOver = true
  }

  /** Takes the next calls, unless that is being done, and tells the listener. */
  take(): void {
    const { engine, listener } = this.#parts
    if (this.#isTaking || engine.isClosed || !engine.opened || !this.hasMore) return
    this.#isTaking = true
    void this.#take(engine.opened).finally(() => {
      this.#isTaking = false
      // What was said to be there during the look has not been looked for.
      if (this.hasMore) this.ready()
      listener.looked()
    })
  }

  /** Tells the listener of calls that the engine has handed out. */
  loadAll(taken: readonly TakenCall[]): void {
    const { listener } = this.#parts
    const loaded: LoadedCall[] = []
    for (const call of taken) {
      if (this.#isForeign(call)) listener.troubled(FOREIGN, undefined, 0)
      else if (call.isOwn && this.#sentFromMemory.delete(call.messageId)) {
        listener.placed([{ place: placeOf(call), messageId: call.messageId }])
      } else loaded.push(this.load(call))
    }
    // What is left untold is handed out anew when the outbox is closed.
    if (loaded.length > 0 && !this.#isOver) listener.loaded(loaded)
  }

  /** A call that was taken, with its number if it is one of this process. */
  load(taken: TakenCall): LoadedCall {
    const { counts } = this.#parts
    const { receipt: _receipt, isOwn, refusal, ...call } = taken
    const number = isOwn ? counts.take() : undefined
    if (counts.left === 0) this.#sentFromMemory.clear()
    return { call, refusal, number, place: { ...placeOf(taken), isOwn: number !== undefined } }
  }

  async #take(opened: OpenOutbox): Promise<void> {
    const { engine, counts, commit } = this.#parts
    try {
      if (counts.unwrittenLeft > 0) await commit()
      this.#mayHaveMore = false
      const taken = callsIn(await engine.watch(opened.take(TAKE_AT_ONCE, { onlyOwn: !this.#adopts })))
      if (taken.length >= TAKE_AT_ONCE) this.#mayHaveMore = true
      if (!engine.isClosed) this.loadAll(taken)
    } catch (error) {
      engine.tell('calls could not be read from the outbox', error)
      await engine.check()
      if (engine.isGone) counts.lose(counts.writtenLeft)
      else setTimeout(() => this.ready(), RETRY_MS).unref()
    }
  }

  /** An engine hands out no calls of other write keys; where one does, they go to no wrong source. */
  #isForeign({ writeKeyHash }: TakenCall): boolean {
    const own = this.#parts.options.writeKeyHash
    return own !== undefined && writeKeyHash !== undefined && writeKeyHash !== own
  }
}
