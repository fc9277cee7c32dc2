import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PeopleStep } from '../../src/index.js'
import { redisMemory } from '../../src/redis/index.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { clientOf } from './clients.js'
import { CLUSTER_CLIENTS } from './cluster-clients.js'
import { clusterServers } from './cluster-servers.js'

/** What somebody says of a person, and what has become of it. */
interface Said {
  readonly traits: string
  readonly device: string | undefined
  readonly call: string
  outcome: 'open' | 'kept' | 'failed'
}

const said = fc.record({
  traits: fc.constantFrom('t1', 't2'),
  device: fc.constantFrom(undefined, 'd1', 'd2'),
  step: fc.constantFrom<PeopleStep>('claim', 'claim', 'claim', 'replace'),
})
const turn = fc.oneof(
  said.map((each) => ({ say: each })),
  fc.record({ settle: fc.nat(5), as: fc.constantFrom<'keep' | 'forget'>('keep', 'forget') }),
)

describe.skipIf(!hasRedis)('the steps of a memory of people', () => {
  it('leave out what Segment has or gets, whatever processes do in whatever order, and nothing else', async () => {
    const redis = await redisServer()
    const { client } = await clientOf(redis.url)
    const memory = redisMemory({ client }).open('hash')
    let person = 0
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), async (turns) => {
        person++
        const history: Said[] = []
        const take = async (step: PeopleStep, { traits, device, call }: Said) => {
          const fact = { person: `p${person}`, about: 'identify', traits, device, call }
          return (await memory.take([{ step, fact }]))[0]
        }
        for (const each of turns) {
          if ('settle' in each) {
            const open = history.filter(({ outcome }) => outcome === 'open')
            const settled = open[each.settle % Math.max(1, open.length)]
            if (!settled) continue
            settled.outcome = each.as === 'keep' ? 'kept' : 'failed'
            expect(await take(each.as, settled)).toBe('done')
            continue
          }
          const { traits, device, step } = each.say
          const call: Said = { traits, device, call: `c${history.length}`, outcome: 'open' }
          const answer = await take(step, call)
          const same = (other: Said) =>
            other.traits === traits && (device === undefined || other.device === device)
          if (step === 'replace') expect(answer).toBe('claimed')
          // Left out only where it has arrived, or may still arrive.
          if (answer === 'known') {
            const kept = history.filter(({ outcome }) => outcome === 'kept')
            expect(kept.some((other) => other.traits === traits)).toBe(true)
            expect(device === undefined || kept.some((other) => other.device === device)).toBe(true)
          }
          if (answer === 'held')
            expect(history.some((other) => same(other) && other.outcome === 'open')).toBe(true)
          // Nothing is said twice in a row.
          const last = history.at(-1)
          if (step === 'claim' && last && last.outcome !== 'failed' && same(last))
            expect(answer).not.toBe('claimed')
          if (answer === 'claimed') history.push(call)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('are done in their order in one go, and each for itself', async () => {
    const redis = await redisServer()
    const { client } = await clientOf(redis.url)
    const memory = redisMemory({ client }).open('hash')
    const fact = (call: string, person = 'p') => ({
      person,
      about: 'identify',
      traits: 't',
      device: undefined,
      call,
    })
    expect(
      await memory.take([
        { step: 'claim', fact: fact('c1') },
        { step: 'claim', fact: fact('c2') },
        { step: 'forget', fact: fact('c1') },
        { step: 'claim', fact: fact('c3') },
        { step: 'keep', fact: fact('c3') },
        { step: 'claim', fact: fact('c4') },
        { step: 'claim', fact: fact('c4', 'other') },
      ]),
    ).toEqual(['claimed', 'held', 'done', 'claimed', 'done', 'known', 'claimed'])
    expect(await memory.take([])).toEqual([])
  })

  it('remember at most 512 groups of a person', async () => {
    const redis = await redisServer()
    const { client, send } = await clientOf(redis.url)
    const memory = redisMemory({ client }).open('hash')
    const fact = (group: number) => ({
      person: 'p',
      about: `g${group}`,
      traits: 't',
      device: undefined,
      call: 'c',
    })
    const groups = Array.from({ length: 600 }, (_, group) => ({ step: 'claim' as const, fact: fact(group) }))
    expect(new Set(await memory.take(groups))).toEqual(new Set(['claimed']))
    const [key] = [await send('KEYS', '*')].flat().map(String)
    expect(Number(await send('HLEN', key ?? ''))).toBeLessThanOrEqual(512)
  })

  it.each(Object.entries(CLUSTER_CLIENTS))(
    'are done by all nodes of a cluster, with %s',
    async (_name, open) => {
      const { ports, nodes } = await clusterServers()
      const client = await open(ports)
      const memory = redisMemory({ client }).open('hash')
      const tasks = Array.from({ length: 1_000 }, (_, index) => ({
        step: 'claim' as const,
        fact: {
          person: `${String.fromCharCode(65 + (index % 26))}${index}`,
          about: 'identify',
          traits: 't',
          device: undefined,
          call: 'c',
        },
      }))
      expect(new Set(await memory.take(tasks))).toEqual(new Set(['claimed']))
      expect(new Set(await memory.take(tasks))).toEqual(new Set(['held']))
      const sizes = await Promise.all(nodes.map(async ({ send }) => Number(await send('DBSIZE'))))
      expect(sizes.reduce((all, size) => all + size, 0)).toBe(1_000)
      for (const size of sizes) expect(size).toBeGreaterThan(0)
    },
    30_000,
  )
})
