import { setImmediate as nextTurn } from 'node:timers/promises'
import { CONFIG } from '../shop.js'
import { end, exchange } from './requests.js'
import { stubbed, trackOrder } from './whole-way.js'

const SAMPLES = 10

/**
 * The heap after requests of distinct people, each of whom tracks one event and is identified.
 *
 * @param tracked - Whether there is a tracking; without one the same requests come and go.
 * @returns Bytes, after a full garbage collection, at the beginning and after each tenth of the requests.
 */
export async function heapAfterPeople(people: number, tracked: boolean): Promise<number[]> {
  const identify = { map: { traits: { map: { plan: { value: 'pro' } } } } }
  const way = tracked ? stubbed({ settings: { ...CONFIG.settings, identify } }) : undefined
  const heap = [heapUsed()]
  for (let person = 0; person < people; person++) {
    const one = exchange(`user-${person}`)
    if (way) trackOrder(way.tracking.handle(one.request, one.response), person)
    end(one)
    if (person % 100 === 99) await (way ? way.tracking.flush({ timeout: 60_000 }) : nextTurn())
    if ((person + 1) % (people / SAMPLES) === 0) heap.push(heapUsed())
  }
  const failed = Object.values(way?.tracking.stats().calls.failed ?? {}).reduce(
    (sum, count) => sum + count,
    0,
  )
  if (failed > 0) throw new Error(`${failed} calls failed`)
  return heap
}

function heapUsed(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
