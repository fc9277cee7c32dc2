import { describe, expect, it } from 'vitest'
import { endpoint, frameworks } from './endpoint.js'

describe.each(frameworks)('an endpoint for walkerOS in $name', (framework) => {
  it('takes an event as one of the request that brings it', async () => {
    const { send, calls } = await endpoint({ framework })
    const { status, json } = await send('', {
      body: {
        name: 'product view',
        data: { id: 'P-1', price: 9.5 },
        context: { test: ['a', 0] },
        nested: [{ entity: 'colour', data: { name: 'red' } }],
        trigger: 'visible',
        timing: 3.2,
        user: { id: 'u-9', session: 'a-9', device: 'd-9' },
        consent: { marketing: true },
        globals: { language: 'xx' },
        custom: { forged: true },
        source: { type: 'forged' },
      },
    })
    expect(status).toBe(200)
    expect(json).toEqual({ success: true })
    const [call] = await calls()
    expect(call).toMatchObject({
      type: 'track',
      event: 'product view',
      properties: { id: 'P-1', price: 9.5 },
      anonymousId: 'a-1',
    })
    expect(call).not.toHaveProperty('userId')
    expect(JSON.stringify(call)).not.toMatch(/forged|u-9|a-9|d-9|"xx"/)
  })

  it('takes a list, and answers how many are on their way and which are not', async () => {
    const { send, calls, tracking } = await endpoint({
      framework,
      options: { events: ['product *', 'page view'] },
    })
    const { status, json } = await send('/', {
      body: [
        { name: 'product view' },
        { name: 'order complete' },
        { name: 'product add', data: { text: 'x'.repeat(40_000) } },
        'nonsense',
        { name: 'page view' },
      ],
    })
    expect(status).toBe(200)
    expect(json).toEqual({
      success: false,
      processed: 2,
      failed: 3,
      errors: [
        { index: 1, error: 'refused' },
        { index: 2, error: 'too-large' },
        { index: 3, error: 'invalid' },
      ],
    })
    expect((await calls()).map((call) => call.event)).toEqual(['product view', 'page view'])
    expect(tracking.stats().events).toMatchObject({
      tracked: 5,
      dropped: { refused: 1, 'too-large': 1, invalid: 1 },
    })
  })

  it('takes a list in an object, and a beacon, which calls JSON text', async () => {
    const { send, calls } = await endpoint({ framework })
    const first = await send('', { body: { batch: [{ name: 'product view' }] } })
    expect(first.json).toEqual({ success: true, processed: 1 })
    const headers = { 'content-type': 'text/plain;charset=UTF-8' }
    const second = await send('', { headers, body: { name: 'page leave' } })
    expect(second.json).toEqual({ success: true })
    expect((await calls()).map((call) => call.event)).toEqual(['product view', 'page leave'])
  })

  it('answers a picture for an event in the address', async () => {
    const { send, calls } = await endpoint({ framework })
    const address =
      '?name=page%20view&data[title]=Home&data[n]=2&nested[0][entity]=product&__proto__[polluted]=1'
    const { status, headers } = await send(address)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('image/gif')
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    const [call] = await calls()
    expect(call).toMatchObject({ event: 'page view', properties: { title: 'Home', n: 2 } })
  })

  it('works without the tracking mounted before it', async () => {
    const { send, calls } = await endpoint({ framework, isTracked: false })
    await send('', { body: { name: 'product view' } })
    expect((await calls())[0]).toMatchObject({ event: 'product view', anonymousId: 'a-1' })
  })
})

describe('the time of an event', () => {
  const hour = 3_600_000
  it.each([
    { said: 'an hour ago', timestamp: -hour, sentAt: 0, expected: -hour },
    {
      said: 'an hour ago, by a clock that is a day fast',
      timestamp: 23 * hour,
      sentAt: 24 * hour,
      expected: -hour,
    },
    {
      said: 'an hour ago, by a clock that is years slow',
      timestamp: -50_001 * hour,
      sentAt: -50_000 * hour,
      expected: -hour,
    },
    { said: 'the future', timestamp: hour, sentAt: 0, expected: 0 },
    { said: 'over a day ago', timestamp: -25 * hour, sentAt: 0, expected: 0 },
    { said: 'after it was sent', timestamp: -hour, sentAt: -2 * hour, expected: 0 },
    { said: 'an hour ago, with no time of sending', timestamp: -hour, sentAt: undefined, expected: -hour },
    { said: 'nonsense', timestamp: Number.NaN, sentAt: 0, expected: 0 },
  ])('is by the server’s clock where it says $said', async ({ timestamp, sentAt, expected }) => {
    const { send, calls } = await endpoint()
    const now = Date.now()
    await send('/t', {
      body: {
        event: 'product view',
        timestamp: Number.isNaN(timestamp) ? 'nonsense' : new Date(now + timestamp).toISOString(),
        sentAt: sentAt === undefined ? undefined : new Date(now + sentAt).toISOString(),
      },
    })
    const [call] = await calls()
    const arrived = Date.parse(String(call?.timestamp))
    expect(Math.abs(arrived - (now + expected))).toBeLessThan(2_000)
    expect(arrived).toBeLessThanOrEqual(Date.now())
  })
})
