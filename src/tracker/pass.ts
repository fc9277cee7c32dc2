import type { ReadGlobals } from '../request/globals.js'
import type { OpenEvent } from './event-list.js'
import type { Scope } from './scope.js'

/** One look at a tracker's events. */
export interface Pass {
  readonly tracker: Scope
  readonly events: readonly OpenEvent[]
  /** Whether the scope was open when the events were taken: those that cannot go yet are kept for the end. */
  readonly isEarly: boolean
  /** The tracker's discards at that moment. */
  readonly discards: number
  /** The globals of the scope: those that hold without a request, until its own have been read. */
  globals: ReadGlobals | undefined
}
