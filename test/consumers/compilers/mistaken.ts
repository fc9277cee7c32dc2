import type { Tracker } from 'reqtrack'

/** Which events there are is known, whatever the kind of the file that has merged them. */
export function mistake(tracker: Tracker): void {
  tracker.track('order complete', { id: 'A-1', total: 42 })
  // @ts-expect-error: no such event
  tracker.track('order completed', { id: 'A-1', total: 42 })
  // @ts-expect-error: total is a number
  tracker.track('order complete', { id: 'A-1', total: '42' })
}
