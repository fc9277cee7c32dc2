import { expressTracking } from '../../src/frameworks/express.js'
import {
  createTracking,
  globalPrivacyControl,
  oneTrust,
  type RequestOptions,
  type Tracker,
  type Tracking,
} from '../../src/index.js'
import { spreadOf } from '../statistics.js'
import { type Visit, visit } from './visits.js'

const ROUNDS = 40
const WARM_UP = 10
const REQUESTS = 2_000
/** Before those that count: the row before leaves the heap in another shape. */
const UNCOUNTED = 1_000
/** As many as a busy server has open; more would wait to be measured, and be moved about by the garbage collector. */
const AT_A_TIME = 50

const NONE = 'no middleware'
const BARE = 'bare middleware, reads nothing'

/** Reads nothing; but an event is somebody's, or there is none. */
const nothingRead: RequestOptions = {
  userId: () => 'u1',
  anonymousId: [],
  consent: [],
  context: false,
}
const oneTrustAndGpc: RequestOptions = { consent: [oneTrust(), globalPrivacyControl()] }

type Handle = (tracker: Tracker) => void

const nothing: Handle = () => {}
const oneEvent: Handle = (tracker) => tracker.track('page read', { title: 'Shoes' })

/** The trackings whose every request tracks an event. */
const busy: Tracking[] = []

const take = () => {}
/** Stands where the SDK would. */
const client = { track: take, identify: take, group: take, page: take, screen: take }

const rows: Readonly<Record<string, () => Promise<number>>> = {
  [NONE]: measured(() => {}),
  [BARE]: through(nothingRead, nothing),
  'no tracking': through(oneTrustAndGpc, nothing),
  'one event, nothing read': through(nothingRead, oneEvent),
  'one event, default readers': through({}, oneEvent),
  'one event, OneTrust + GPC': through(oneTrustAndGpc, oneEvent),
}

/** Requests that a tracking's middleware and a handler take. What is measured ends where Segment's SDK begins. */
function through(request: RequestOptions, handle: Handle): () => Promise<number> {
  const tracking = createTracking({
    settings: { writeKey: 'none', consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    mapping: { page: { read: { name: 'Page Read' } } },
    env: { analytics: client },
    request,
  })
  if (handle === oneEvent) busy.push(tracking)
  const middleware = expressTracking(tracking)
  return measured(
    ({ req, res }) => middleware(req, res, () => handle(tracking.handle(req, res))),
    () => tracking.flush(),
  )
}

/** Microseconds of CPU a request, of all threads of the process: what the garbage collector takes is in it. */
function measured(take: (visit: Visit) => void, finish: () => Promise<void> = async () => {}) {
  return async (): Promise<number> => {
    let us = 0
    for (let done = -UNCOUNTED; done < REQUESTS; done += AT_A_TIME) {
      const visits = Array.from({ length: AT_A_TIME }, visit)
      const before = process.cpuUsage()
      for (const one of visits) {
        take(one)
        one.res.emit('finish')
      }
      await finish()
      const { user, system } = process.cpuUsage(before)
      if (done >= 0) us += user + system
    }
    return us / REQUESTS
  }
}

/**
 * Measures all rows in turns, so that a busy minute of the machine is in all of them; every other round in reverse, so
 * that none always follows the same one.
 */
async function measureInTurns(): Promise<ReadonlyMap<string, readonly number[]>> {
  const costs = new Map(Object.keys(rows).map((name): [string, number[]] => [name, []]))
  const turns = Object.entries(rows)
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    turns.reverse()
    for (const [name, run] of turns) {
      const us = await run()
      if (round >= 0) costs.get(name)?.push(us)
    }
  }
  return costs
}

const costs = await measureInTurns()
for (const tracking of busy) {
  const { events } = tracking.stats()
  // An event that is dropped on its way is cheap.
  if (events.dispatched !== events.tracked)
    throw new Error(`events were dropped: ${JSON.stringify(events.dropped)}`)
}

/** How much more a row costs than another, round by round. */
function over(values: readonly number[], other: string): string {
  const others = costs.get(other) ?? []
  return spreadOf(values.map((value, round) => value - (others[round] ?? 0))).median.toFixed(2)
}

function ratio(values: readonly number[], other: string): string {
  const others = costs.get(other) ?? []
  return spreadOf(values.map((value, round) => value / (others[round] ?? value))).median.toFixed(2)
}

const table = [...costs].map(([name, values]) => {
  const { median, lowest, highest } = spreadOf(values)
  return {
    request: name,
    'µs CPU': median.toFixed(2),
    'lowest to highest': `${lowest.toFixed(2)} to ${highest.toFixed(2)}`,
    'over no middleware': over(values, NONE),
    'over bare': over(values, BARE),
    'times bare': ratio(values, BARE),
  }
})
console.log(
  `µs CPU a request: medians of ${ROUNDS} rounds of ${REQUESTS} requests, in turns. Node ${process.version}.`,
)
console.table(table)
