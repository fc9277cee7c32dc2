import { describe, expect, it } from 'vitest'
import type { CollectOptions } from '../../src/frameworks/express.js'
import { endpoint, frameworks } from './endpoint.js'

/** What analytics.js says of itself and its page with every call. */
const common = {
  anonymousId: 'forged',
  userId: 'forged',
  writeKey: 'forged',
  integrations: { All: false, forged: true },
  context: {
    ip: '203.0.113.9',
    userAgent: 'forged',
    library: { name: 'analytics.js', version: 'forged' },
    campaign: { name: 'forged' },
    page: {
      url: 'https://shop.example/find?q=ada&utm_campaign=summer&token=secret#top',
      path: '/find',
      search: '?q=ada&utm_campaign=summer&token=secret',
      referrer: 'https://search.example/?q=secret',
      title: 'Find',
    },
  },
}
const options: CollectOptions = {
  events: ['Product Viewed', 'page view', 'screen view'],
  traits: ['newsletter'],
  groups: () => ['G-1'],
  groupTraits: ['plan'],
}

describe.each(frameworks)('an endpoint for analytics.js in $name', (framework) => {
  it.each(['', '/v1'])('takes each of its calls, below "%s"', async (prefix) => {
    const { send, calls } = await endpoint({ framework, options })
    const answers = [
      await send(`${prefix}/t`, { body: { ...common, event: 'Product Viewed', properties: { id: 'P-1' } } }),
      await send(`${prefix}/p`, {
        body: { ...common, name: 'Home', properties: { ...common.context.page, kind: 'a' } },
      }),
      await send(`${prefix}/i`, { body: { ...common, traits: { newsletter: true, role: 'admin' } } }),
      await send(`${prefix}/g`, {
        body: { ...common, groupId: 'G-1', traits: { plan: 'team', owner: 'u-9' } },
      }),
      await send(`${prefix}/s`, { body: { ...common, name: 'Cart' } }),
    ]
    for (const { status, json } of answers)
      expect({ status, json }).toEqual({ status: 200, json: { success: true } })
    const received = await calls()
    expect(received).toMatchObject([
      { type: 'track', event: 'Product Viewed', properties: { id: 'P-1' } },
      { type: 'page', name: 'Home' },
      { type: 'identify', traits: { newsletter: true } },
      { type: 'group', groupId: 'G-1', traits: { plan: 'team' } },
      { type: 'screen', name: 'Cart' },
    ])
    expect(received[1]?.properties).toEqual({
      url: 'https://shop.example/find?utm_campaign=summer',
      path: '/find',
      search: '?utm_campaign=summer',
      referrer: 'https://search.example/',
      title: 'Find',
      kind: 'a',
    })
    for (const call of received) {
      expect(call).toMatchObject({
        anonymousId: 'a-1',
        context: {
          page: { url: 'https://shop.example/find?utm_campaign=summer', title: 'Find' },
          campaign: { name: 'summer' },
        },
      })
      expect(JSON.stringify(call)).not.toMatch(/forged|secret|admin|u-9|203\.0\.113\.9/)
    }
  })

  it('takes a batch of it, and refuses what it may not send', async () => {
    const { send, calls, tracking } = await endpoint({ framework, options })
    const batch = [
      { ...common, type: 'track', event: 'Product Viewed' },
      { ...common, type: 'track', event: 'Order Completed' },
      { ...common, type: 'group', groupId: 'G-2' },
      { ...common, type: 'alias', previousId: 'a-2' },
      { ...common, type: 'page' },
      { ...common, type: 'delete' },
    ]
    for (const path of ['/b', '/batch', '/v1/b', '/v1/batch']) {
      const { status, json } = await send(path, { body: { writeKey: 'forged', batch, sentAt: new Date() } })
      expect({ status, json }).toEqual({ status: 200, json: { success: true } })
    }
    expect((await calls()).map((call) => call.type)).toEqual(Array(4).fill(['track', 'page']).flat())
    expect(tracking.stats().events.dropped).toMatchObject({ refused: 12, invalid: 4 })
  })

  it('refuses an alias, an identify and a group that nobody allowed, and forwards no metrics', async () => {
    const { send, calls, tracking } = await endpoint({ framework })
    await send('/a', { body: { ...common, previousId: 'a-2' } })
    await send('/i', { body: { ...common, traits: { role: 'admin' } } })
    await send('/g', { body: { ...common, groupId: 'G-1' } })
    const { status, json } = await send('/m', { body: { series: [{ type: 'Counter' }] } })
    expect({ status, json }).toEqual({ status: 200, json: { success: true } })
    expect(await calls()).toEqual([])
    expect(tracking.stats().events).toMatchObject({ tracked: 3, dropped: { refused: 3 } })
  })
})

describe('the groups of a user', () => {
  it('are asked for where a call is about one, and nowhere else', async () => {
    let asked = 0
    const { send, calls } = await endpoint({
      options: { events: 'any', groups: () => (asked++ === 0 ? 'G-1' : undefined) },
    })
    await send('', { body: { name: 'product view' } })
    await send('/t', { body: { ...common, event: 'Product Viewed' } })
    await send('/b', { body: { batch: [{ ...common, type: 'track', event: 'Product Viewed' }] } })
    expect(asked).toBe(0)
    const groups = Array(3).fill({ ...common, type: 'group', groupId: 'G-1' })
    await send('/b', { body: { batch: groups } })
    expect(asked).toBe(1)
    expect((await calls()).filter(({ type }) => type === 'group')).toHaveLength(3)
  })
})

describe('consent that a browser sends', () => {
  const config = {
    consent: { analytics: true },
    settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    request: { consent: () => ({ analytics: true, marketing: true }) },
  }
  const preferences = (categoryPreferences: object) => ({ context: { consent: { categoryPreferences } } })

  it('refuses, by Segment’s categories and by walkerOS’s keys', async () => {
    const { send, calls, tracking } = await endpoint({ config })
    await send('/t', {
      body: { event: 'Product Viewed', ...preferences({ Analytics: true, Advertising: false }) },
    })
    await send('', { body: { name: 'product view', consent: { marketing: false } } })
    await send('', { body: { name: 'product view', consent: { analytics: false } } })
    const received = await calls()
    for (const call of received)
      expect(call.context).toMatchObject({
        consent: { categoryPreferences: { Analytics: true, Advertising: false } },
      })
    expect(received).toHaveLength(2)
    expect(tracking.stats().events.dropped.consent).toBe(1)
  })

  it('never grants', async () => {
    const refusing = { ...config, request: { consent: () => ({ analytics: false }) } }
    const { send, calls } = await endpoint({ config: refusing })
    await send('/t', {
      body: { event: 'Product Viewed', ...preferences({ Analytics: true, Advertising: true }) },
    })
    await send('', { body: { name: 'product view', consent: { analytics: true, marketing: true } } })
    expect(await calls()).toEqual([])
  })
})

describe('an anonymousId that a browser names', () => {
  const id = '3f0e2a52-6f3a-4a2e-9f55-0c2f6f5a7b11'
  const noCookie = { cookie: undefined }

  it('is not believed by default', async () => {
    const { send, calls, tracking } = await endpoint()
    await send('/t', { headers: noCookie, body: { event: 'Product Viewed', anonymousId: id } })
    expect(await calls()).toEqual([])
    expect(tracking.stats().events.dropped.identity).toBe(1)
  })

  it('stands in where the request has none, if that is allowed and it is a UUID', async () => {
    const { send, calls } = await endpoint({ options: { anonymousId: 'body' } })
    await send('/t', { headers: noCookie, body: { event: 'one', anonymousId: id } })
    await send('', { headers: noCookie, body: { name: 'two', user: { session: id, id: 'u-9' } } })
    await send('/t', { body: { event: 'three', anonymousId: id } })
    await send('/t', { headers: noCookie, body: { event: 'four', anonymousId: 'a-2' } })
    const received = (await calls()).map(({ event, anonymousId, userId }) => [event, anonymousId, userId])
    expect(received).toEqual([
      ['one', id, undefined],
      ['two', id, undefined],
      ['three', 'a-1', undefined],
    ])
  })
})

describe('the id of an event', () => {
  const id = 'ajs-next-1'

  it('makes one message of a beacon that comes twice, also by another client', async () => {
    const { send, calls, tracking, segment } = await endpoint()
    for (const path of ['/t', '/t', '/v1/t'])
      await send(path, { body: { event: 'product view', messageId: id } })
    await send('', { body: { name: 'product view', id } })
    const messages = new Set((await calls()).map(({ messageId }) => messageId))
    expect(messages.size).toBe(1)
    expect(segment.duplicates.length + tracking.stats().calls.deduplicated).toBe(3)
  })

  it('is one visitor’s alone: nobody takes the place of another’s event', async () => {
    const { send, calls } = await endpoint({ options: { anonymousId: 'body' } })
    const body = { event: 'product view', messageId: id }
    const forged = '3f0e2a52-6f3a-4a2e-9f55-0c2f6f5a7b11'
    await send('/t', { headers: { cookie: `ajs_anonymous_id=${forged}` }, body })
    await send('/t', { headers: { cookie: 'ajs_anonymous_id=a-2' }, body })
    await send('/t', { headers: { cookie: undefined }, body: { ...body, anonymousId: forged } })
    const received = await calls()
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(3)
    expect(JSON.stringify(received.map(({ messageId }) => messageId))).not.toContain(id)
  })

  it.each([undefined, '', 7, 'x'.repeat(300)])('counts for nothing where it is %j', async (messageId) => {
    const { send, calls } = await endpoint()
    for (const _ of [1, 2]) await send('/t', { body: { event: 'product view', messageId } })
    expect(new Set((await calls()).map((call) => call.messageId)).size).toBe(2)
  })
})
