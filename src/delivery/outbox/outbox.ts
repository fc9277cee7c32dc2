import type { CallType } from '../../model/segment-call.js'

/*
 * What an outbox is: the contract between the delivery and an engine that keeps calls, such as a disk, Redis or a database.
 * Every engine, ours included, is held to it by `checkOutbox()` of `reqtrack/testing`.
 */

/** A call as it is stored. */
export interface StoredCall {
  /** The kind of call. */
  readonly type: CallType
  /** Its name: a call that is written twice has the same. */
  readonly messageId: string
  /** Milliseconds since 1970 at which it was made. */
  readonly madeAt: number
  /** Its parameters as JSON, to be given back unchanged. */
  readonly text: string
  /** The hash of the write key that it was made for. It is sent with no other. Absent in calls of the first file format. */
  readonly writeKeyHash?: string | undefined
}

/** A call that an outbox has handed to this process: nobody else gets it while the process lives. */
export interface TakenCall extends StoredCall {
  /** What the outbox knows it by. It is given back to `settle`, and means nothing to anybody else. */
  readonly receipt: unknown
  /** Whether this process has written it. */
  readonly isOwn: boolean
  /** Why it is not to be sent any more, such as that every process that took it has died. It fails as `rejected`. */
  readonly refusal?: string | undefined
}

/** Why a call is set aside. */
export type AsideReason = 'rejected' | 'expired'

/** How often calls are written, and how much is stored. */
export interface OutboxLimits {
  /** Milliseconds that a call waits to be written with others. */
  readonly commitInterval: number
  /** The number of calls that are written at once. */
  readonly commitAt: number
  /** Characters of the calls of this process that may be stored; `undefined` for the delivery's limit. */
  readonly maxBytes: number | undefined
}

/** Whose calls are to be erased. */
export interface Erasure {
  /** Calls with this `userId`. */
  readonly userId?: string | undefined
  /** Calls with this `anonymousId`. */
  readonly anonymousId?: string | undefined
}

/** What an erasure has come to. */
export interface Erased {
  /** Calls that were removed, those that were set aside included. */
  readonly erased: number
  /** Calls that a process holds: they are not erased, since it may be sending them. */
  readonly held: number
}

/** What waits in an outbox, of all processes. */
export interface Waiting {
  /** Calls without an outcome, those that processes hold included. */
  readonly calls: number
  /** When the oldest of them was made, in milliseconds since 1970; `undefined` without one. */
  readonly oldestAt: number | undefined
}

/** What an outbox is told when it is opened, and whom it tells what it finds. Every method may be called at any time. */
export interface OutboxSession {
  /** Calls of another write key are neither handed out nor erased. Empty where the delivery knows none. */
  readonly writeKeyHash: string
  /** Whether this process sends. One that does not only writes. */
  readonly sends: boolean
  /** There may be calls to take that were not there before. */
  ready(): void
  /**
   * The outbox cannot do its work at the moment, or does it again: until then the delivery goes on in memory.
   *
   * @param error - Why; `undefined` when it works again.
   * @param goesOn - Whether calls are kept all the same, elsewhere: this is then said, and nothing waits.
   */
  troubled(error: unknown, goesOn?: boolean): void
  /**
   * Before another try to store calls: those of them that still have to be stored. What was sent from memory meanwhile has
   * its outcome, and would be sent twice.
   */
  owed(calls: readonly StoredCall[]): readonly StoredCall[]
  /**
   * Something is wrong with what is stored, or with how the engine is set up. It is logged, and stays in `health()`.
   *
   * @param lost - How many calls of other processes are lost by it.
   */
  problem(problem: string, error?: unknown, lost?: number): void
  /** Something about how the engine is set up may cost calls one day. It is logged as a warning. */
  warn(advice: string): void
  /** So many calls that this process wrote and did not take cannot be given back. */
  lost(calls: number): void
  /**
   * Another process has taken calls that this one wrote and did not take.
   *
   * @param characters - The length of their texts.
   */
  relayed(calls: number, characters: number): void
  /** Another process has taken calls that this one held, since nothing was heard of it for too long. */
  robbed(receipts: readonly unknown[]): void
  /** Calls that this process holds are stored no more, such as after a trim by somebody else: they are stored again. */
  gone(receipts: readonly unknown[]): void
  /**
   * Calls that nobody holds are stored no more: they count as `overflow`, or as `expired` where they were too old.
   *
   * @param storedAt - When each was stored, in milliseconds since 1970.
   */
  trimmed(storedAt: readonly number[]): void
  /** The outbox is full: these are its oldest calls, taken so that they end as `overflow`, and settled like any others. */
  evicted(calls: readonly TakenCall[]): void
}

/** How calls are to be taken. */
export interface TakeOptions {
  /** A shutdown has begun: an engine that can choose hands out only calls that this process wrote. */
  readonly onlyOwn?: boolean
}

/**
 * An open outbox. The delivery calls one method at a time of `write`, and one of `take`; any others at any time. What rejects is
 * taken for a failure for good: an engine that can be away for a while says `isRetried`, or says `troubled` and tries again itself
 * with pauses until it has succeeded.
 */
export interface OpenOutbox {
  /**
   * Stores calls, and then hands out calls as `take` does. They are stored when it resolves: a process that is killed from
   * then on loses none. Where it rejects, some may be stored nonetheless: they are recognised by their messageId.
   *
   * @param calls - In the order in which they were made.
   * @param room - How many calls this process has room for: it holds so many of the given ones in memory. 0 where it
   * does not send.
   * @returns The calls that this process is to send, at most `room`. Those of the given ones that are not among them stay
   * in the outbox until somebody takes them.
   */
  write(calls: readonly StoredCall[], room: number): Promise<readonly TakenCall[]>
  /**
   * Hands out the next calls that no living process has, in the order in which they were written.
   *
   * @returns At most `most`. Fewer mean that there are no more for now: `session.ready()` says when that has changed.
   */
  take(most: number, options?: TakeOptions): Promise<readonly TakenCall[]>
  /** Removes calls that have their outcome. Receipts of calls that are not there any more are ignored. */
  settle(receipts: readonly unknown[]): Promise<void>
  /** Keeps a call for a person to look at that will not be sent. It is removed by `settle` like any other. */
  setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void>
  /** Removes what waits, and what was set aside, of a person. */
  erase(whose: Erasure): Promise<Erased>
  /** Counts what waits, of all processes. Absent where the engine cannot tell; rejects while it cannot. */
  waiting?(): Promise<Waiting>
  /** Whether what was written can still be found; `true` without this method. */
  isThere?(): Promise<boolean>
  /** Closes it. What this process holds and what waits is left to others, at once. */
  close(): Promise<void>
  /** The process ends while the outbox does not answer: takes the place of `close`, and waits for nothing. */
  abandon?(): void
}

/**
 * Stores calls until they have their outcome. `fileOutbox()` of `reqtrack/outbox-file` and `redisOutbox()` of
 * `reqtrack/redis` make one.
 *
 * @example
 * const tracking = createTracking({ settings, delivery: { outbox: fileOutbox({ directory: '/var/lib/shop/outbox' }) } })
 */
export interface Outbox {
  readonly limits: OutboxLimits
  /**
   * Whether all processes share one queue, from which any of them takes what any has written. Otherwise a process
   * takes its own calls, and those of processes that have ended. Defaults to `false`.
   */
  readonly isShared?: boolean
  /**
   * Whether the engine can be away, and methods simply reject then: the delivery goes on in memory, and tries `open`, `write`,
   * `take` and `settle` again with pauses of up to five seconds until they succeed. Each further try of a `write` gets the calls
   * that still have to be stored. Defaults to `false`: what rejects has failed for good.
   */
  readonly isRetried?: boolean
  /** Opens it. Rejects if it cannot be used for good: the delivery then goes on in memory. */
  open(session: OutboxSession): Promise<OpenOutbox>
}
