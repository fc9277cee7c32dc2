import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const BROKEN = new Error('broken')

/** Work that fails, each in its own way, and what is told of it. */
const failing: { name: string; begin: () => unknown; told: unknown }[] = [
  { name: 'a promise that was rejected before', begin: () => Promise.reject(BROKEN), told: BROKEN },
  {
    name: 'a promise that rejects later',
    begin: () => sleep(5).then(() => Promise.reject(BROKEN)),
    told: BROKEN,
  },
  {
    name: 'an async function that throws',
    begin: async () => {
      throw BROKEN
    },
    told: BROKEN,
  },
  { name: 'a rejection with nothing', begin: () => Promise.reject(), told: undefined },
  { name: 'a rejection with a text', begin: () => Promise.reject('broken'), told: 'broken' },
  { name: 'a thenable that rejects', begin: () => thenable((_, reject) => reject(BROKEN)), told: BROKEN },
  {
    name: 'a thenable that throws',
    begin: () =>
      thenable(() => {
        throw BROKEN
      }),
    told: BROKEN,
  },
  { name: 'a `then` that throws when it is read', begin: () => unreadable(), told: BROKEN },
  { name: 'several of which one fails', begin: () => Promise.all([1, Promise.reject(BROKEN)]), told: BROKEN },
]

function thenable(then: (resolve: () => void, reject: (error: unknown) => void) => void): object {
  return Object.fromEntries([['then', then]])
}

function unreadable(): object {
  return Object.defineProperty({}, 'then', {
    get() {
      throw BROKEN
    },
  })
}

async function setUp(error?: (error: unknown) => void) {
  const segment = await segmentServer()
  const errors: unknown[] = []
  const lines: { message: unknown; context: unknown }[] = []
  const tracking = trackingTo(segment, {
    logger: { handler: (_level, message, context) => lines.push({ message, context }) },
    on: { error: error ?? ((each) => errors.push(each)) },
  })
  return { segment, tracking, errors, lines, inRequest: await requestsOf(tracking) }
}

describe('tracker.waitUntil()', () => {
  it.each(failing)('tells of $name, and the rest goes on', async ({ begin, told }) => {
    const { tracking, errors, lines, inRequest, segment } = await setUp()
    await inRequest((tracker) => {
      tracker.waitUntil(begin() as Promise<unknown>)
      tracker.track('page view')
    }, visitor('s1'))
    const report = await tracking.shutdown()
    expect(report).toMatchObject({ delivered: 1, timedOut: false })
    expect(errors).toEqual([told])
    expect(lines[0]).toMatchObject({ message: 'work that was given to waitUntil() failed' })
    expect(segment.calls).toHaveLength(1)
  })

  it('tells of work that fails after the shutdown', async () => {
    const { tracking, errors, inRequest } = await setUp()
    let fail = (_error: Error) => {}
    const work = new Promise((_, reject) => {
      fail = reject
    })
    await inRequest((tracker) => tracker.waitUntil(work))
    expect(await tracking.shutdown({ timeout: 20 })).toMatchObject({ timedOut: true })
    fail(BROKEN)
    await expect(work).rejects.toThrow()
    await expect.poll(() => errors).toEqual([BROKEN])
  })

  it('says nothing of work that is done', async () => {
    const { tracking, errors, lines, inRequest } = await setUp()
    await inRequest((tracker) => {
      tracker.waitUntil(Promise.resolve('done'))
      tracker.waitUntil(sleep(5))
      tracker.waitUntil({} as Promise<unknown>)
    })
    expect(await tracking.shutdown()).toMatchObject({ timedOut: false })
    expect({ errors, lines }).toEqual({ errors: [], lines: [] })
  })

  it('logs a burst of failures once, and tells `on.error` of each', async () => {
    const { tracking, errors, lines, inRequest } = await setUp()
    await inRequest((tracker) => {
      for (let work = 0; work < 20; work++) tracker.waitUntil(Promise.reject(BROKEN))
    })
    await tracking.shutdown()
    expect(errors).toHaveLength(20)
    expect(lines).toHaveLength(1)
  })

  it('contains an `on.error` that throws', async () => {
    const { tracking, inRequest } = await setUp(() => {
      throw new Error('nor this')
    })
    await inRequest((tracker) => tracker.waitUntil(Promise.reject(BROKEN)))
    expect(await tracking.shutdown()).toMatchObject({ timedOut: false })
  })
})
