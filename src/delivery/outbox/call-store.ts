import type { StoredCall } from './outbox.js'

/** A call that was read from a store. */
export interface ReadCall extends StoredCall {
  /** Its number in its store. */
  readonly number: number
}

/**
 * Hears of a problem with what ended processes have left.
 *
 * @param lost - How many of their calls are lost by it.
 */
export type TellProblem = (problem: string, error: unknown, lost?: number) => void

/** The calls of one process, by number. */
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
