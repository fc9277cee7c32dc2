import { expect, onTestFinished } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import type { Tracking } from '../../src/index.js'

const ENDS = ['unhandledRejection', 'uncaughtException'] as const

/** What would have ended the process, until the test ends. */
export function watchProcess(): { readonly harm: unknown[] } {
  const harm: unknown[] = []
  const take = (error: unknown) => void harm.push(error)
  for (const event of ENDS) {
    // The test runner's own would look into what was thrown, which not everything stands.
    const others = process.rawListeners(event)
    process.removeAllListeners(event)
    process.on(event, take)
    onTestFinished(() => {
      process.off(event, take)
      for (const other of others) Reflect.apply(process.on, process, [event, other])
    })
  }
  return { harm }
}

/** Every event and every call is in one column, and what counts as open is really there. */
export function expectBooksBalance(tracking: Tracking): void {
  const { events, calls } = tracking.stats()
  const sum = (counts: object) => Object.values(counts).reduce((all: number, count) => all + Number(count), 0)
  expect(events.tracked).toBe(events.open + events.dispatched + sum(events.dropped))
  expect(calls.made).toBe(calls.delivered + calls.pending + calls.relayed + sum(calls.failed))
  expect(events.open).toBe(internalsOf(tracking, 'test').countOpen())
  for (const count of [events.open, calls.pending]) expect(count).toBeGreaterThanOrEqual(0)
}
