import type { CallType } from '../../model/segment-call.js'

/** A call as it is on disk. */
export interface StoredCall {
  readonly type: CallType
  readonly messageId: string
  /** When it was made, in milliseconds since 1970. */
  readonly madeAt: number
  /** Its parameters as JSON. */
  readonly text: string
}

/** A call that was read back. */
export interface ReadCall extends StoredCall {
  /** Its number in its store. */
  readonly number: number
  /** Where it is; nowhere where it could not be written. */
  readonly place?: Place
}

/** Where a call is on disk: the store that it was written to, and its number there. */
export interface Place {
  readonly store: CallStore
  readonly number: number
  /** The length of its text. */
  readonly size: number
}

/** The calls that one process has written. */
export interface CallStore {
  /** Writes calls; they are on disk when it resolves. */
  write(calls: readonly { readonly number: number; readonly call: StoredCall }[]): Promise<void>
  /** Takes calls off the disk. */
  remove(numbers: readonly number[]): Promise<void>
  /** Reads calls in the order in which they were written, from after a number. */
  read(after: number, most: number): Promise<ReadCall[]>
  /** Whether its files are where they were made. */
  isThere(): Promise<boolean>
  /** Lets go of it: what is left goes to whoever opens it next. An empty one is removed. */
  close(): Promise<void>
}

/** Why a call is kept aside. */
export type AsideReason = 'rejected' | 'expired'

/** An outbox that is in use. */
export interface OpenOutbox {
  /** Where this process's calls are written. */
  readonly own: CallStore
  /**
   * The stores of processes that have ended, oldest first; each is given to one process.
   *
   * @param tell - Is told of stores that are damaged, or cannot be opened at the moment.
   */
  adopt(tell: (problem: string, error: unknown) => void): Promise<CallStore[]>
  /** Keeps a call aside that will not be sent, so that somebody can look at it. */
  setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void>
}

/** How often calls are written, and how much the disk holds. */
export interface OutboxLimits {
  /** Milliseconds that a call may wait to be written together with others. */
  readonly commitInterval: number
  /** So many calls are written at once. */
  readonly commitAt: number
  /** Bytes on disk; `undefined` for what the delivery says. */
  readonly maxBytes: number | undefined
}

/** Keeps calls on disk until Segment has them. `fileOutbox()` of `reqtrack/outbox-file` makes one. */
export interface Outbox {
  readonly limits: OutboxLimits
  /** Begins to use it. Rejects if that cannot be done. */
  open(): Promise<OpenOutbox>
}
