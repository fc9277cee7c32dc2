import { describe, expect, it, vi } from 'vitest'
import type { OpenPeopleMemory, PeopleAnswer, PeopleMemory, PeopleTask } from '../../src/index.js'
import { keptLog } from '../delivery/delivering.js'
import { segmentServer, trackingTo } from '../support/servers.js'

const NOT_ASKED = 'the shared memory of people cannot be asked: people may be identified once more'

/** A memory that answers as a test wants, and the tasks that it was given, those of each time apart. */
function memoryOf(take: OpenPeopleMemory['take']): { memory: PeopleMemory; taken: PeopleTask[][] } {
  const taken: PeopleTask[][] = []
  return {
    taken,
    memory: {
      open: () => ({
        take(tasks) {
          taken.push([...tasks])
          return take(tasks)
        },
      }),
    },
  }
}

async function started(memory: PeopleMemory, config: Parameters<typeof trackingTo>[1] = {}) {
  const segment = await segmentServer()
  const { lines, logger } = keptLog()
  const tracking = trackingTo(segment, {
    memory,
    logger,
    ...config,
    settings: { identify: { map: { traits: 'user.traits' } }, ...config.settings },
  })
  const visit = (id: string, index: number, session?: string) =>
    tracking.run({ user: { id, ...(session && { session }), traits: { plan: 'free' } } }, (tracker) =>
      tracker.track('page view', { index }),
    )
  const told = () =>
    segment.calls.map((call) =>
      call.type === 'track' ? Number(call.properties?.index) : `${call.type} ${call.userId}`,
    )
  return { tracking, visit, told, lines, segment }
}

const answered = (answer: PeopleAnswer) => async (tasks: readonly PeopleTask[]) =>
  tasks.map(({ step }) => (step === 'claim' ? answer : ('done' as const)))

describe('the calls of a person', () => {
  it('keep their order while the memory is asked, and nobody else waits', async () => {
    const answers: (() => void)[] = []
    const { memory } = memoryOf(async (tasks) => {
      if (tasks.some(({ step }) => step === 'claim'))
        await new Promise<void>((resolve) => answers.push(resolve))
      return answered('claimed')(tasks)
    })
    const { tracking, visit, told } = await started(memory, {
      settings: { flushAt: 1 },
      delivery: { maxInFlight: 1 },
    })
    visit('alice', 1)
    await vi.waitUntil(() => answers.length === 1)
    // A second and a third request of hers, and one of a visitor who is nobody yet.
    visit('alice', 2)
    visit('alice', 3)
    tracking.run({ user: { session: 's-1' } }, (tracker) => tracker.track('page view', { index: 4 }))
    await tracking.run({ user: { session: 's-2' } }, (tracker) => tracker.track('page view', { index: 5 }))
    await vi.waitUntil(() => told().includes(4))
    answers[0]?.()
    await tracking.flush()
    const hers = told().filter((each) => ![4, 5].includes(Number(each)))
    expect(hers).toEqual(['identify alice', 1, 2, 3])
    expect(told().slice(0, 2)).toEqual([4, 5])
  })

  it('keep it from a visitor to the user whom they have become', async () => {
    const answers: (() => void)[] = []
    const { memory } = memoryOf(async (tasks) => {
      if (tasks.some(({ step }) => step === 'claim') && answers.length === 0)
        await new Promise<void>((resolve) => answers.push(resolve))
      return answered('claimed')(tasks)
    })
    const { tracking, visit, told } = await started(memory, {
      settings: { flushAt: 1 },
      delivery: { maxInFlight: 1 },
    })
    tracking.run({ user: { session: 's-1', traits: { plan: 'free' } } }, (tracker) =>
      tracker.track('page view', { index: 1 }),
    )
    await vi.waitUntil(() => answers.length === 1)
    visit('alice', 2, 's-1')
    answers[0]?.()
    await tracking.flush()
    expect(told()).toEqual(['identify undefined', 1, 'identify alice', 2])
  })

  it('are told in one go of one turn, and what is known here is asked of nobody', async () => {
    const { memory, taken } = memoryOf(answered('claimed'))
    const { tracking, visit } = await started(memory)
    for (let index = 0; index < 30; index++) visit(`customer-${index % 10}`, index)
    await tracking.flush()
    const claims = taken.map((tasks) => tasks.filter(({ step }) => step === 'claim').length)
    expect(claims[0]).toBe(10)
    expect(claims.reduce((all, count) => all + count, 0)).toBe(10)
    for (let index = 0; index < 10; index++) visit(`customer-${index}`, index)
    await tracking.flush()
    expect(taken.flat().filter(({ step }) => step === 'claim')).toHaveLength(10)
    const kept = taken.flat().filter(({ step }) => step === 'keep')
    expect(kept).toHaveLength(10)
    expect(new Set(kept.map(({ fact }) => fact.call)).size).toBe(10)
    expect(JSON.stringify(taken)).not.toMatch(/customer-\d|free/)
  })

  it('are asked about again where another process has claimed them, and has told nothing yet', async () => {
    let answer: PeopleAnswer = 'held'
    const { memory } = memoryOf(async (tasks) => answered(answer)(tasks))
    const { tracking, visit, told } = await started(memory)
    visit('alice', 1)
    await tracking.flush()
    answer = 'claimed'
    visit('alice', 2)
    await tracking.flush()
    visit('alice', 3)
    await tracking.flush()
    expect(told()).toEqual([1, 'identify alice', 2, 3])
    expect(tracking.stats().calls).toMatchObject({ made: 4, delivered: 4, deduplicated: 2 })
  })

  it('are asked about again after a while, so that the memory hears who is still there', async () => {
    const { memory, taken } = memoryOf(answered('known'))
    const { tracking, visit, told } = await started({ ...memory, refreshAfter: 100 })
    visit('alice', 1)
    visit('alice', 2)
    await tracking.flush()
    expect(taken).toHaveLength(1)
    await vi.waitUntil(async () => {
      visit('alice', 3)
      await tracking.flush()
      return taken.length === 2
    })
    expect(told()).not.toContain('identify alice')
  })

  it('wait longer for a memory that says how long', async () => {
    const { memory } = memoryOf(
      (tasks) => new Promise((resolve) => setTimeout(resolve, 300, answered('known')(tasks))),
    )
    const { tracking, visit, told, lines } = await started({ ...memory, answerWithin: 10_000 })
    visit('alice', 1)
    await tracking.flush()
    expect(told()).toEqual([1])
    expect(lines).toEqual([])
  })
})

describe('a memory that misbehaves', () => {
  const never = new Promise<never>(() => {})
  it.each<[string, OpenPeopleMemory['take']]>([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['never answers', () => never],
    ['answers with nothing', async () => JSON.parse('null')],
    ['answers with too little', async () => []],
    ['answers with nonsense', async (tasks) => tasks.map(() => JSON.parse('{"a":1}'))],
    ['answers with errors', async (tasks) => tasks.map(() => new Error('broken'))],
  ])('and %s costs no call, and little time', async (_name, take) => {
    const { memory } = memoryOf(take)
    const { tracking, visit, told, lines } = await started(memory)
    const startedAt = performance.now()
    for (let index = 0; index < 5; index++) visit(`u-${index}`, index)
    visit('u-0', 5)
    await tracking.flush()
    for (let index = 0; index < 5; index++) {
      visit(`v-${index}`, index)
      await tracking.flush()
    }
    expect(told().filter((each) => typeof each === 'string')).toHaveLength(10)
    expect(told()).toHaveLength(10 + 11)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 21, pending: 0, timedOut: false })
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    const said = lines.filter(({ message }) => message === NOT_ASKED)
    expect(said.length).toBeLessThanOrEqual(1)
    if (!['answers with too little', 'answers with nonsense'].includes(_name)) expect(said).toHaveLength(1)
  })

  it('does not hold what it is told for ever, nor lose what failed while it was away', async () => {
    let isAway = true
    const done: PeopleTask[] = []
    const { memory } = memoryOf(async (tasks) => {
      if (isAway) throw new Error('away')
      done.push(...tasks)
      return answered('claimed')(tasks)
    })
    const { tracking, visit, segment } = await started(memory, { settings: { maxRetries: 0 } })
    segment.respondWith({ status: 400 })
    visit('alice', 1)
    await vi.waitUntil(() => tracking.stats().calls.failed.rejected === 2)
    isAway = false
    await vi.waitUntil(() => done.length > 0)
    await tracking.flush()
    expect(done.map(({ step }) => step)).toEqual(['forget'])
  })
})

describe('a config', () => {
  it('refuses a memory that is none', async () => {
    const segment = await segmentServer()
    const wrong = JSON.parse('{ "memory": { "client": 1 } }')
    expect(() => trackingTo(segment, wrong)).toThrow(/memory: .*redisMemory\(\)/)
  })
})
