// A process of a fleet in which everybody visits: as many rounds as it is told, each of everybody once, in any order.
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { createTracking } from '../../src/index.js'
import { redisMemory } from '../../src/redis/index.js'

/** What a process is told. */
export interface VisitOptions {
  readonly segment: string
  /** The Redis of the memory; without one the process remembers for itself. */
  readonly redis: string | undefined
  readonly people: number
  readonly rounds: number
  readonly claimAfter: number
}

/** What it tells at its end. */
export interface VisitEnd {
  readonly delivered: number
  /** Whether the memory was always there. */
  readonly wasAsked: boolean
}

const AT_ONCE = 100
const PAUSE_MS = 150
const { segment, redis, people, rounds, claimAfter }: VisitOptions = JSON.parse(process.env.VISITS ?? '{}')
const client = redis === undefined ? undefined : await createClient({ url: redis }).connect()
let wasAsked = true
const tracking = createTracking({
  settings: { writeKey: 'test-key', host: segment, identify: { map: { traits: 'user.traits' } } },
  ...(client && { memory: redisMemory({ client, claimAfter }) }),
  logger: {
    level: 'ERROR',
    handler: () => {
      wasAsked = false
    },
  },
})
process.stdout.write('ready\n')
for (let round = 0; round < rounds; round++) {
  const order = Array.from({ length: people }, (_, id) => ({ id, at: Math.random() })).sort(
    (one, other) => one.at - other.at,
  )
  for (let from = 0; from < people; from += AT_ONCE) {
    for (const { id } of order.slice(from, from + AT_ONCE))
      tracking.run({ user: { id: `u-${id}`, traits: { plan: 'free' } } }, (tracker) =>
        tracker.track('page view', { round }),
      )
    await tracking.flush()
  }
  await sleep(PAUSE_MS)
}
const { delivered } = await tracking.shutdown()
client?.destroy()
const end: VisitEnd = { delivered, wasAsked }
process.stdout.write(`${JSON.stringify(end)}\n`)
