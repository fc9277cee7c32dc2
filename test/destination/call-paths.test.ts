import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type BeforeSend, hashed, only } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** An identify and a track, as Segment gets them. */
async function sent(beforeSend: BeforeSend | BeforeSend[], traits: object, properties: object) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, {
    beforeSend,
    settings: { consent: { marketing: 'Advertising' }, integrations: { All: true } },
    request: { context: { ip: true, userAgent: true, locale: false, page: false, campaign: false } },
  })
  const inRequest = await requestsOf(tracking)
  await inRequest(
    (tracker) => {
      tracker.identify('u-1', traits)
      tracker.track('order complete', properties)
    },
    { ...visitor('s1'), 'user-agent': 'browser' },
  )
  await tracking.flush()
  expect(tracking.stats().calls).toMatchObject({ withheld: 0, delivered: 2 })
  const [identify, track]: Record<string, unknown>[] = segment.calls.map((call) => ({ ...call }))
  return { traits: identify?.traits, properties: track?.properties, identify, track }
}

describe('hashed()', () => {
  it('replaces values by the SHA-256 of their trimmed, lower-case text', async () => {
    const { traits, properties } = await sent(
      hashed('traits.email', 'properties.buyer.email', 'properties.phone'),
      { email: ' Ada@Example.COM ', plan: 'team' },
      { buyer: { email: 'ada@example.com', name: 'Ada' }, phone: 4712345678 },
    )
    expect(traits).toEqual({ email: sha256('ada@example.com'), plan: 'team' })
    expect(properties).toEqual({
      buyer: { email: sha256('ada@example.com'), name: 'Ada' },
      phone: sha256('4712345678'),
    })
  })

  it('hashes each value of lists and objects, and follows `*` and the places of lists', async () => {
    const { properties } = await sent(
      hashed('properties.to', 'properties.people.*.email', 'properties.pair.0', 'properties.contact'),
      {},
      {
        to: ['a@b.c', ['d@e.f']],
        people: [{ email: 'a@b.c', name: 'A' }, { name: 'B' }, 'C'],
        pair: ['a@b.c', 'plain'],
        contact: { mail: 'a@b.c', more: { mail: 'd@e.f' } },
      },
    )
    expect(properties).toEqual({
      to: [sha256('a@b.c'), [sha256('d@e.f')]],
      people: [{ email: sha256('a@b.c'), name: 'A' }, { name: 'B' }, 'C'],
      pair: [sha256('a@b.c'), 'plain'],
      contact: { mail: sha256('a@b.c'), more: { mail: sha256('d@e.f') } },
    })
  })

  it('leaves out what has no hash worth sending, and leaves alone what is not there', async () => {
    const { traits, properties } = await sent(
      hashed('traits.email', 'traits.phone', 'traits.gone.deep', 'properties.*'),
      { email: '  ', phone: null, plan: 'team' },
      { yes: true, text: 'x' },
    )
    expect(traits).toEqual({ plan: 'team' })
    expect(properties).toEqual({ text: sha256('x') })
  })

  it('hashes ids, too', async () => {
    const { identify, track } = await sent(hashed('userId', 'anonymousId'), {}, {})
    expect(identify).toMatchObject({ userId: sha256('u-1'), anonymousId: sha256('s1') })
    expect(track).toMatchObject({ anonymousId: sha256('s1') })
  })

  it('follows no prototype', async () => {
    const { traits } = await sent(hashed('traits.constructor.name', 'traits.toString'), { plan: 'team' }, {})
    expect(traits).toEqual({ plan: 'team' })
  })

  it.each([
    [[], 'hashed() was given no path'],
    [['email'], 'hashed() was given the path "email": expected one that begins with properties, traits'],
    [['traits..email'], 'was given the path "traits..email"'],
    [['messageId'], 'was given the path "messageId"'],
    [[42], 'was given the path a number'],
  ])('takes no %j', (paths, message) => {
    // @ts-expect-error: what JavaScript lets through.
    expect(() => hashed(...paths)).toThrow(message)
  })
})

describe('only()', () => {
  const traits = { email: 'ada@example.com', plan: 'team', address: { city: 'Oslo', street: 'x' } }
  const properties = {
    id: 'A-1',
    total: 42,
    products: [{ sku: 'P-1', price: 30 }, { sku: 'P-2', price: 12 }, { price: 1 }],
  }

  it('keeps the values at its paths, with all below them', async () => {
    const kept = await sent(only('properties.*', 'traits.plan', 'traits.address.city'), traits, properties)
    expect(kept.properties).toEqual(properties)
    expect(kept.traits).toEqual({ plan: 'team', address: { city: 'Oslo' } })
  })

  it('follows `*` and the places of lists', async () => {
    const all = await sent(only('properties.products.*.sku'), traits, properties)
    expect(all.properties).toEqual({ products: [{ sku: 'P-1' }, { sku: 'P-2' }] })
    const first = await sent(only('properties.products.0'), traits, properties)
    expect(first.properties).toEqual({ products: [{ sku: 'P-1', price: 30 }] })
    const whole = await sent(only('properties', 'traits'), traits, properties)
    expect(whole).toMatchObject({ properties, traits })
  })

  it('leaves whole what no path begins with', async () => {
    const ofProperties = await sent(only('properties.id'), traits, properties)
    expect(ofProperties).toMatchObject({ traits, properties: { id: 'A-1' } })
    expect(ofProperties.track?.context).toMatchObject({ ip: '127.0.0.1', userAgent: 'browser' })
    expect(await sent(only('traits.plan'), traits, properties)).toMatchObject({ properties })
  })

  it('keeps the consent, whatever it keeps of the context', async () => {
    const { track } = await sent(only('context.userAgent'), traits, properties)
    const consent = { categoryPreferences: { Advertising: false } }
    expect(track?.context).toMatchObject({ userAgent: 'browser', consent })
    expect(track?.context).not.toHaveProperty('ip')
    const { track: other } = await sent(only('context.nothing'), traits, properties)
    expect(other?.context).toMatchObject({ consent })
    expect(other?.context).not.toHaveProperty('userAgent')
  })

  it('keeps nothing where there is nothing at its paths', async () => {
    const kept = await sent(only('properties.gone', 'traits.plan.deep'), traits, properties)
    expect([kept.traits ?? {}, kept.properties]).toEqual([{}, {}])
  })

  it('stands in a list with others', async () => {
    const kept = await sent(
      [hashed('traits.email'), only('properties.total', 'traits.email')],
      traits,
      properties,
    )
    expect(kept.traits).toEqual({ email: sha256('ada@example.com') })
    expect(kept.properties).toEqual({ total: 42 })
  })

  it.each([
    ['email', 'only() was given the path "email": expected one that begins with properties, traits, context'],
    ['userId', 'only() was given the path "userId"'],
    ['*', 'only() was given the path "*"'],
    ['', 'only() was given the path ""'],
  ])('takes no path %j', (path, message) => {
    expect(() => only(path)).toThrow(message)
    expect(() => only()).toThrow('only() was given no path')
  })
})
