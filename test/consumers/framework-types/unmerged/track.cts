import type { Tracker } from 'reqtrack'

export function track(tracker: Tracker, action: string): void {
  tracker.track(`order ${action}`, { total: 42 })
  tracker.track({ name: 'order complete', data: { total: 42 } })
  // @ts-expect-error: an event is more than its data
  tracker.track({ total: 42 })
}
