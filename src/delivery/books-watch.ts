import { setImmediate } from '../support/clock.js'
import type { Ledger } from './ledger.js'

/** Counts what is without an outcome where it really is. */
export interface IndependentCounts {
  /** Events that trackers hold. */
  open(): number
  /** Calls that the rooms of the delivery and the outbox hold. */
  pending(): number
}

/** Two counts that should be the same. */
export interface BooksDifference {
  readonly open: number
  readonly countedOpen: number
  readonly pending: number
  readonly countedPending: number
}

/**
 * Compares the ledger with independent counts after every turn of the event loop that has changed it: for development, since
 * sums that are computed as differences always balance.
 *
 * @param differ - Told the first difference, and no other.
 */
export function watchBooks(
  ledger: Ledger,
  counts: IndependentCounts,
  differ: (difference: BooksDifference) => void,
): void {
  let isScheduled = false
  const compare = () => {
    isScheduled = false
    const { events, calls } = ledger.stats()
    const difference = {
      open: events.open,
      countedOpen: counts.open(),
      pending: calls.pending,
      countedPending: counts.pending(),
    }
    const { open, countedOpen, pending, countedPending } = difference
    if (open === countedOpen && pending === countedPending) return
    ledger.onChange = undefined
    differ(difference)
  }
  ledger.onChange = () => {
    if (isScheduled) return
    isScheduled = true
    setImmediate(compare)
  }
}
