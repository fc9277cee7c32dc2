import type { Tracker } from 'reqtrack'

/** The events that an ESM file has merged hold here, too, and its tracker is of the type required here. */
export function trackRefund(tracker: Tracker): void {
  tracker.track('order refund', { reason: 'damaged' })
  // @ts-expect-error: reason is a string
  tracker.track('order refund', { reason: 7 })
  // @ts-expect-error: no such event
  tracker.track('order refunded', { reason: 'damaged' })
}
