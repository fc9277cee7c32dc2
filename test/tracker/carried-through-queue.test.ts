import { Queue, Worker } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Carried,
  consentCookie,
  type ResumeOptions,
  type Tracker,
  type TrackingConfig,
} from '../../src/index.js'
import { expectBalance } from '../support/books.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'

interface Job {
  readonly id: number
  readonly visitor: Carried
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const config: Omit<TrackingConfig, 'settings'> & { settings: Partial<TrackingConfig['settings']> } = {
  settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
  request: {
    userId: ({ headers }) => String(headers['x-user']),
    consent: consentCookie('consent'),
  },
  mapping: { invoice: { send: { consent: { analytics: true } } } },
}

function browserOf(id: number, consent: Record<string, boolean>): Record<string, string> {
  return {
    'x-user': `u-${id}`,
    'user-agent': `agent ${id}`,
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
    cookie: `ajs_anonymous_id=a-${id}; consent=${encodeURIComponent(JSON.stringify(consent))}`,
  }
}

/** A web process and a worker, each with a tracking of its own, and a queue of a real Redis between them. */
async function application(work: (tracker: Tracker, job: Job) => unknown, options: ResumeOptions = {}) {
  const [segment, redis] = await Promise.all([segmentServer(), redisServer()])
  const connection = { url: redis.url }
  const web = trackingTo(segment, config)
  const jobs = trackingTo(segment, config)
  const queue = new Queue<Job>('invoices', { connection })
  const worker = new Worker<Job>(
    'invoices',
    ({ data }) => jobs.resume(data.visitor, async (tracker) => work(tracker, data), options),
    { connection, concurrency: 20 },
  )
  onTestFinished(async () => {
    await Promise.all([queue.close(), worker.close()])
  })
  const inRequest = await requestsOf(web)
  return {
    segment,
    jobs,
    worker,
    /** Puts a job into the queue, in a request of a visitor. */
    async order(
      id: number,
      consent: Record<string, boolean>,
      how: { delay?: number; attempts?: number } = {},
    ) {
      await inRequest(
        async (tracker) => {
          await queue.add('send', { id, visitor: tracker.carry() }, how)
        },
        browserOf(id, consent),
      )
    },
    /** What Segment has when the jobs are done and everything that they tracked has its outcome. */
    async delivered(finished: Promise<void>) {
      await finished
      await jobs.flush()
      expectBalance(jobs.stats())
      return segment.calls
    },
  }
}

function completed(worker: Worker, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count
    worker.on('completed', () => {
      left -= 1
      if (left === 0) resolve()
    })
    worker.on('failed', (job, error) => {
      if (job?.attemptsMade === (job?.opts.attempts ?? 1)) reject(error)
    })
  })
}

describe.skipIf(!hasRedis)('what a request hands to a job through BullMQ', () => {
  it('is the visitor’s identity, whole consent, trace and context', async () => {
    const traces: unknown[] = []
    const { jobs, worker, order, delivered } = await application((tracker, { id }) => {
      traces.push(tracker.carry().trace)
      tracker.track('invoice send', { id })
    })
    const finished = completed(worker, 1)
    await order(1, { analytics: true, marketing: false })
    expect(await delivered(finished)).toMatchObject([
      {
        type: 'track',
        event: 'invoice send',
        userId: 'u-1',
        anonymousId: 'a-1',
        properties: { id: 1 },
        context: {
          consent: { categoryPreferences: { Analytics: true, Advertising: false } },
          userAgent: 'agent 1',
          ip: '127.0.0.1',
        },
      },
    ])
    expect(traces).toEqual([TRACE])
    expect(jobs.stats().events).toMatchObject({ tracked: 1, dispatched: 1 })
  })

  it('is never another’s, however many jobs run at a time and however often', async () => {
    const failedOnce = new Set<number>()
    const { segment, jobs, worker, order, delivered } = await application(async (tracker, { id }) => {
      tracker.track('job begin', { id })
      await new Promise((resolve) => setImmediate(resolve))
      jobs.current()?.track('invoice send', { id })
      if (id % 3 === 0 && !failedOnce.has(id)) {
        failedOnce.add(id)
        throw new Error('the printer is busy')
      }
    })
    const finished = completed(worker, 60)
    await Promise.all(
      Array.from({ length: 60 }, (_, id) => order(id, { analytics: id % 2 === 0 }, { attempts: 2 })),
    )
    await delivered(finished)
    for (const call of segment.calls) {
      const id = 'properties' in call ? Number(call.properties?.id) : Number.NaN
      expect(call).toMatchObject({
        userId: `u-${id}`,
        anonymousId: `a-${id}`,
        context: {
          userAgent: `agent ${id}`,
          consent: { categoryPreferences: { Analytics: id % 2 === 0, Advertising: false } },
        },
      })
    }
    const named = (event: string) => segment.calls.filter((call) => 'event' in call && call.event === event)
    // Twenty of sixty ran twice; of those that needed consent, the refused ones stay here.
    expect(named('job begin')).toHaveLength(80)
    expect(named('invoice send')).toHaveLength(40)
    expect(jobs.stats().events).toMatchObject({ tracked: 160, dropped: { consent: 40 } })
  })

  it('is without its grants where the job has waited for too long, and keeps who it is and what was refused', async () => {
    const { jobs, worker, order, delivered } = await application(
      (tracker, { id }) => {
        tracker.track('invoice send', { id })
        tracker.track('job begin', { id, consent: tracker.carry().consent })
      },
      { maxAge: 20 },
    )
    const finished = completed(worker, 1)
    await order(7, { analytics: true, marketing: false }, { delay: 50 })
    expect(await delivered(finished)).toMatchObject([
      {
        event: 'job begin',
        userId: 'u-7',
        anonymousId: 'a-7',
        properties: { consent: { marketing: false } },
      },
    ])
    expect(jobs.stats().events.dropped).toMatchObject({ consent: 1 })
  })

  it('is tracked once by a job that is tried again and gives it a key', async () => {
    let attempts = 0
    const { segment, jobs, worker, order, delivered } = await application(async (tracker, { id }) => {
      tracker.track('invoice send', { id }, { key: `I-${id}` })
      attempts += 1
      if (attempts < 3) throw new Error('the printer is busy')
    })
    const finished = completed(worker, 1)
    await order(9, { analytics: true }, { attempts: 3 })
    expect(await delivered(finished)).toMatchObject([{ event: 'invoice send', userId: 'u-9' }])
    expect(attempts).toBe(3)
    // Those that were tracked while the first waited or was in flight, and those that Segment knew again.
    const { deduplicated } = jobs.stats().calls
    const repeated = segment.duplicates.reduce((total, { count }) => total + count, 0)
    expect(deduplicated + repeated).toBe(2)
  })

  it('gives way to what the person has chosen since', async () => {
    const { worker, order, delivered } = await application(
      (tracker, { id }) => tracker.track('invoice send', { id }),
      { maxAge: 0, consent: { analytics: true } },
    )
    const finished = completed(worker, 1)
    await order(8, { analytics: false, marketing: false })
    const consent = { categoryPreferences: { Analytics: true, Advertising: false } }
    expect(await delivered(finished)).toMatchObject([{ userId: 'u-8', context: { consent } }])
  })
})
