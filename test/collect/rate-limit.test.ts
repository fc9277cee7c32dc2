import { MemoryStore } from 'express-rate-limit'
import { describe, expect, it } from 'vitest'
import { endpoint, frameworks } from './endpoint.js'

const events = (count: number) => Array.from({ length: count }, () => ({ name: 'product view' }))
const cookie = (id: string) => ({ cookie: `ajs_anonymous_id=${id}` })

describe.each(frameworks)('the rate limit in $name', (framework) => {
  it('counts the events of a visitor, and says when to come back', async () => {
    const { send, calls } = await endpoint({
      framework,
      options: { limit: { perVisitor: 3, window: 10_000 } },
    })
    expect((await send('', { body: events(2) })).status).toBe(200)
    const refused = await send('', { body: events(2) })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(10)
    expect((await send('', { body: events(1) })).status).toBe(200)
    expect((await send('', { headers: cookie('a-2'), body: events(3) })).status).toBe(200)
    expect(await calls()).toHaveLength(6)
  })

  it('counts the events of an address, whoever they say they are', async () => {
    const { send, calls } = await endpoint({ framework, options: { limit: { perAddress: 5 } } })
    for (let id = 0; id < 5; id++)
      expect((await send('', { headers: cookie(`a-${id}`), body: events(1) })).status).toBe(200)
    const refused = await send('', { headers: cookie('a-6'), body: 'not even read' })
    expect(refused.status).toBe(429)
    expect(await calls()).toHaveLength(5)
  })
})

describe('the rate limit', () => {
  it('lets a list pass that alone is longer, and then nothing', async () => {
    const { send } = await endpoint({ options: { limit: { perVisitor: 3 } } })
    expect((await send('', { body: events(5) })).status).toBe(200)
    expect((await send('', { body: events(1) })).status).toBe(429)
  })

  it('begins anew when its time is over', async () => {
    const { send } = await endpoint({ options: { limit: { perVisitor: 1, window: 300 } } })
    expect((await send('', { body: events(1) })).status).toBe(200)
    await expect.poll(async () => (await send('', { body: events(1) })).status).toBe(200)
  })

  it('counts requests that bring no event, too', async () => {
    const { send } = await endpoint({ options: { limit: { perAddress: 2 } } })
    for (const status of [200, 200, 429]) expect((await send('', { body: [] })).status).toBe(status)
  })

  it('is none where it is turned off', async () => {
    const { send, calls } = await endpoint({ options: { limit: false } })
    for (let request = 0; request < 7; request++) await send('', { body: events(100) })
    expect(await calls()).toHaveLength(700)
  })

  it('counts in a store of express-rate-limit, which processes can share', async () => {
    const store = new MemoryStore()
    const limit = { perVisitor: 3, window: 60_000, store }
    const one = await endpoint({ options: { limit } })
    const other = await endpoint({ options: { limit } })
    expect((await one.send('', { body: events(2) })).status).toBe(200)
    expect((await other.send('', { body: events(2) })).status).toBe(429)
    store.shutdown()
  })

  it.each([
    {
      store: 'throws',
      increment: () => {
        throw new Error('away')
      },
    },
    { store: 'rejects', increment: () => Promise.reject(new Error('away')) },
    { store: 'never answers', increment: () => new Promise<never>(() => {}) },
    { store: 'answers nonsense', increment: () => Promise.resolve(JSON.parse('null')) },
  ])('counts in the process where its store $store, and says so once', async ({ increment }) => {
    const { send, logged } = await endpoint({ options: { limit: { perVisitor: 2, store: { increment } } } })
    const statuses = []
    for (let request = 0; request < 3; request++) statuses.push((await send('', { body: events(1) })).status)
    expect(statuses).toEqual([200, 200, 429])
    expect(logged.filter((line) => line.includes('the store of a rate limit failed'))).toHaveLength(1)
  })
})
