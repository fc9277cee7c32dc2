import type { CallType } from '../../model/segment-call.js'

/** A stored call. */
export interface StoredCall {
  readonly type: CallType
  readonly messageId: string
  /** Milliseconds since 1970 at which it was made. */
  readonly madeAt: number
  /** Its parameters as JSON. */
  readonly text: string
  /** The hash of the write key that it was made for. It is sent with no other. Absent in calls of the first format. */
  readonly writeKeyHash?: string | undefined
}

/** A call that was read back. */
export interface ReadCall extends StoredCall {
  /** Its number in its store. */
  readonly number: number
  /** Where it is stored; absent if it could not be written. */
  readonly place?: Place
}

/** Where a call is stored: its store, and its number there. */
export interface Place {
  readonly store: CallStore
  readonly number: number
  /** The length of its text. */
  readonly size: number
}

/** The calls of one process. */
export interface CallStore {
  /** The hash of the write key that its calls were made for, where the store knows it. */
  readonly writeKeyHash?: string
  /** Writes calls; they are stored when it resolves. */
  write(calls: readonly { readonly number: number; readonly call: StoredCall }[]): Promise<void>
  /** Removes calls. */
  remove(numbers: readonly number[]): Promise<void>
  /** Reads calls in order, those after a number. One that was changed on the disk is set aside and left out. */
  read(after: number, most: number): Promise<ReadCall[]>
  /** Whether its files still exist. */
  isThere(): Promise<boolean>
  /** Closes it and leaves its calls to the next process. An empty store is removed. */
  close(): Promise<void>
}

/** Why a call is set aside. */
export type AsideReason = 'rejected' | 'expired'

/**
 * Hears of a problem with stored calls.
 *
 * @param lost - How many calls of ended processes are lost by it.
 */
export type TellProblem = (problem: string, error: unknown, lost?: number) => void

/** An open outbox. */
export interface OpenOutbox {
  /** The store of this process. */
  readonly own: CallStore
  /**
   * Opens the stores of ended processes, oldest first. Each store has one owner.
   *
   * @param tell - Hears of stores that are damaged or cannot be opened at the moment, also later.
   * @param writeKeyHash - Stores of other write keys are left to their processes.
   */
  adopt(tell: TellProblem, writeKeyHash?: string): Promise<CallStore[]>
  /** Sets a call aside that will not be sent, so that somebody can look at it. */
  setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void>
}

/** How often calls are written, and how many bytes are stored. */
export interface OutboxLimits {
  /** Milliseconds that a call waits to be written with others. */
  readonly commitInterval: number
  /** The number of calls that are written at once. */
  readonly commitAt: number
  /** Bytes stored; `undefined` for the delivery's limit. */
  readonly maxBytes: number | undefined
}

/** Stores calls until Segment has taken them. `fileOutbox()` of `reqtrack/outbox-file` makes one. */
export interface Outbox {
  readonly limits: OutboxLimits
  /** Opens it. Rejects if that fails. */
  open(): Promise<OpenOutbox>
}
