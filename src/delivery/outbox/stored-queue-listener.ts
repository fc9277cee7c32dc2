import type { Remembered } from '../../model/segment-call.js'
import type { StoredCall } from './outbox.js'

/** Where a call is stored. */
export interface Place {
  /** What the outbox knows it by. */
  readonly receipt: unknown
  /** The length of its text. */
  readonly characters: number
  /** Whether this process has written it. */
  readonly isOwn: boolean
}

/** A call that was taken from the outbox. */
export interface LoadedCall {
  readonly call: StoredCall
  readonly place: Place
  /** Its number, if it is one of this process that waited in the outbox. */
  readonly number: number | undefined
  /** Why it is not to be sent. */
  readonly refusal: string | undefined
}

/** What the delivery hears. `T` is its object for a call in memory. */
export interface StoredQueueListener<T> {
  /** Calls are written that say something of people. */
  kept(remembered: readonly Remembered[]): void
  /** Calls are stored, or, without a place, never will be: they can be sent. */
  stored(calls: readonly { readonly held: T; readonly place: Place | undefined }[]): void
  /** Calls are stored and wait in the outbox for whoever has room: memory lets go of them. */
  left(held: readonly T[]): void
  /** Calls were taken, in the order in which they are to be sent. */
  loaded(calls: readonly LoadedCall[]): void
  /** Calls that neither memory nor the outbox holds go on in memory. */
  passed(calls: readonly PassedCall[]): void
  /** Whether a call that memory was to send has no outcome yet. */
  isPending(messageId: string): boolean
  /** Memory lets go of a call that is stored, unless it is on its way or has its outcome, and tells whether it has. */
  letGo(messageId: string): boolean
  /** Calls that were passed on while the outbox hung are stored after all. Some have their outcome already. */
  placed(calls: readonly { readonly place: Place; readonly messageId: string }[]): void
  /** There may be calls to take. */
  ready(): void
  /** A look for calls to take has ended. */
  looked(): void
  /** The outbox hung and answers again: calls can be stored. */
  answers(): void
  /** The outbox fails: the calls concerned go on in memory. */
  failed(problem: string, error: unknown): void
  /** The outbox keeps calls elsewhere than it should, or where it should again. */
  degraded(error: unknown): void
  /** Something about how the outbox is set up may cost calls one day. */
  warn(advice: string): void
  /** This many calls were only stored, and cannot be taken. */
  lost(count: number): void
  /** This many calls were only stored, and others send them. */
  relayed(count: number): void
  /** Other processes have taken calls that this one holds. */
  robbed(receipts: ReadonlySet<unknown>): void
  /** Calls that this process holds are stored no more. */
  gone(receipts: ReadonlySet<unknown>): void
  /** Calls that nobody holds are stored no more; they were stored at these times. */
  trimmed(storedAt: readonly number[]): void
  /** The outbox is full: these calls end. */
  evicted(calls: readonly LoadedCall[]): void
  /** There is a problem with what is stored, and this many calls of others are lost by it. */
  troubled(problem: string, error: unknown, lost: number): void
}

/** A call that was to wait in the outbox only. */
export interface PassedCall {
  readonly number: number
  readonly call: StoredCall
  /** What it says of a person. */
  readonly remembered: Remembered | undefined
}

/** What memory has of a call that is to be written. */
export interface InMemory<T> {
  /** Its object, if there is one; without one the call is taken again when its turn comes. */
  readonly held: T | undefined
  /** What the call says of a person. */
  readonly remembered?: Remembered | undefined
  /** Whether it is sent from memory already. */
  readonly isPassedOn?: boolean
}
