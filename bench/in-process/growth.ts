import type { Rules } from '../../src/index.js'
import { CONFIG, MAPPING, ORDER } from '../shop.js'
import { type GrowthPoint, spreadOf } from '../statistics.js'
import { type Cost, costOf, inTurns } from './measure.js'
import { type Handler, handled, stubbed, trackOrder } from './whole-way.js'

/** What grows, and what is looked at. */
export interface GrowthSeries {
  readonly what: string
  /** Microseconds of CPU: of a request for `events`, of an event for the others. */
  readonly points: readonly GrowthPoint[]
}

type Measured = readonly [size: number, measure: () => Promise<Cost>]

const ROOM = { delivery: { maxPending: 1_000_000, maxBytes: 4 * 1024 ** 3 } }

/** How the cost grows with what an application can make large. */
export async function measureGrowth(rounds: number, events: number): Promise<GrowthSeries[]> {
  return [
    await seriesOf('events of a request', rounds, eventsOfARequest(events)),
    await seriesOf('mapping rules', rounds, mappingRules(events)),
    await seriesOf('bytes of data', rounds, bytesOfData(events)),
  ]
}

async function seriesOf(what: string, rounds: number, measured: readonly Measured[]): Promise<GrowthSeries> {
  const works = Object.fromEntries(measured.map(([size, measure]) => [`size ${size}`, measure]))
  const costs = await inTurns(works, rounds, Math.min(rounds, 5))
  const points = measured.map(([size]) => ({
    size,
    cost: spreadOf((costs[`size ${size}`] ?? []).map(({ us }) => us)).median,
  }))
  return { what, points }
}

/** A request that tracks more. */
function eventsOfARequest(events: number): Measured[] {
  const way = stubbed(ROOM)
  return [1, 10, 100, 1_000].map((size) => {
    const requests = Math.max(1, Math.round(events / size))
    const handler: Handler = (tracker, request) => {
      for (let event = 0; event < size; event++) trackOrder(tracker, request)
    }
    return [size, () => costOf(handled(way, handler, { requests, calls: requests * size }), requests)]
  })
}

/** A mapping with more rules: those of other events. */
function mappingRules(events: number): Measured[] {
  return [1, 10, 100, 1_000].map((size) => {
    const others = Array.from({ length: size - 1 }, (_, rule) => [`entity${rule}`, MAPPING.order])
    const mapping: Rules = { ...Object.fromEntries(others), ...MAPPING }
    const way = stubbed({ ...ROOM, mapping })
    return [size, () => costOf(handled(way, trackOrder, { requests: events, calls: events }), events)]
  })
}

/** An event with more data, without a rule: all of it is sent. */
function bytesOfData(events: number): Measured[] {
  const way = stubbed({ ...ROOM, mapping: {} })
  return [100, 1_000, 10_000, 30_000].map((size) => {
    const data = { ...ORDER, lines: linesOf(size) }
    const count = Math.max(10, Math.round((events * 100) / size))
    const work = handled(way, (tracker) => tracker.track('order complete', data), {
      requests: count,
      calls: count,
    })
    return [size, () => costOf(work, count)]
  })
}

/** Lines of an order, of about so many bytes of JSON. */
function linesOf(bytes: number): object[] {
  const line = { sku: 'P-1042', quantity: 2, price: 19.9 }
  return Array.from({ length: Math.round(bytes / (JSON.stringify(line).length + 1)) }, () => ({ ...line }))
}

/** Distinct people, each of whom is identified: what a person costs while the memory of them fills and after. */
export async function measurePeople(most: number): Promise<GrowthSeries> {
  const identify = { map: { traits: { map: { plan: { value: 'pro' } } } } }
  const way = stubbed({
    ...ROOM,
    settings: { ...CONFIG.settings, identify },
  })
  const points: GrowthPoint[] = []
  let people = 0
  for (let size = 100; size <= most; size *= 10) {
    const costs: number[] = []
    while (people < size) {
      const count = Math.min(1_000, size - people)
      const first = people
      const work = handled(way, trackOrder, {
        requests: count,
        calls: 2 * count,
        user: (one) => `user-${first + one}`,
      })
      costs.push((await costOf(work, count)).us)
      people += count
    }
    // The newest of them: the memory is as full as it gets with so many.
    points.push({ size, cost: spreadOf(costs.slice(-20)).median })
  }
  return { what: 'distinct users', points }
}
