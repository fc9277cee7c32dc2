import { expect } from 'vitest'
import type { TrackingStats } from '../../src/index.js'

/** The sum of a column of the books. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

/** Every event and every call stands in one column. */
export function expectBalance({ events, calls }: TrackingStats): void {
  expect(events.tracked).toBe(events.open + events.dispatched + sum(events.dropped))
  expect(calls.made).toBe(calls.delivered + calls.pending + calls.relayed + sum(calls.failed))
}
