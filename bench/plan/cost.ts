import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { z } from 'zod'
import { createTracking, type Tracking } from '../../src/index.js'
import { definePlan, type Plan } from '../../src/plan/index.js'

// The same events with and without a plan, in turn: what the machine does meanwhile befalls both.

const ROUNDS = 320
const REQUESTS = 40
const EVENTS = 25
const WARM_UP = 20

const planned = definePlan({
  events: {
    'order complete': z.object({
      id: z.string(),
      total: z.number(),
      currency: z.string(),
      coupon: z.string().optional(),
      isFirst: z.boolean(),
      items: z.array(z.object({ sku: z.string(), price: z.number() })),
    }),
  },
})
const data = {
  id: 'A-1',
  total: 42,
  currency: 'EUR',
  isFirst: false,
  items: [{ sku: 'P-1', price: 42 }],
}

const bare = trackingWith(undefined)
const held = trackingWith(planned)
const without: number[] = []
const differences: number[] = []

for (let round = 0; round < ROUNDS; round++) {
  // Whoever comes first has the other's garbage to collect.
  const isFirst = round % 2 === 0
  const before = isFirst ? await microsecondsAnEvent(bare) : 0
  const withPlan = await microsecondsAnEvent(held)
  const withoutPlan = isFirst ? before : await microsecondsAnEvent(bare)
  if (round < WARM_UP) continue
  without.push(withoutPlan)
  differences.push(withPlan - withoutPlan)
}
console.log(`without a plan: ${median(without).toFixed(2)} µs an event`)
console.log(`the plan: ${median(differences).toFixed(2)} µs an event`)
for (const tracking of [bare, held]) {
  const { violations, events } = tracking.stats()
  if (Object.keys(violations).length > 0 || events.open > 0) throw new Error('that was another measurement')
  await tracking.shutdown()
}

function trackingWith(plan: Plan | undefined): Tracking {
  const take = (): void => undefined
  return createTracking({
    settings: { writeKey: 'bench' },
    env: { analytics: { track: take, identify: take, group: take, page: take, screen: take, alias: take } },
    ...(plan && { plan }),
  })
}

async function microsecondsAnEvent(tracking: Tracking): Promise<number> {
  const started = performance.now()
  for (let request = 0; request < REQUESTS; request++) {
    const socket = new Socket()
    const req = new IncomingMessage(socket)
    const res = new ServerResponse(req)
    res.assignSocket(socket)
    const tracker = tracking.handle(req, res)
    tracker.user({ id: 'u-1' })
    for (let event = 0; event < EVENTS; event++) tracker.track('order complete', data)
    res.emit('finish')
  }
  await tracking.flush()
  return ((performance.now() - started) * 1_000) / (REQUESTS * EVENTS)
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}
