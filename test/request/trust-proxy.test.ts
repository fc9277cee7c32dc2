import express from 'express'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { member } from '../../src/request/identity/id.js'
import { addressThrough, compileTrust, type TrustProxy } from '../../src/request/trusted-proxies.js'
import { recordTracking } from '../../src/testing/index.js'
import { serve, visitor } from '../support/servers.js'

const FORWARDED = {
  'x-forwarded-for': '198.51.100.1, 203.0.113.7',
  'x-forwarded-host': 'shop.example:8443, inner.example',
  'x-forwarded-proto': 'https, http',
  'sec-fetch-dest': 'document',
}

/** What one request says of its client, on a plain server with a setting. */
async function contextUnder(trustProxy: unknown, headers: Record<string, string> = FORWARDED) {
  const errors: string[] = []
  const recorded = recordTracking({ logger: { handler: (_level, message) => errors.push(message) } })
  const { url } = await serve((req, res) => {
    // Two that differ only as objects: both are the request's one tracker.
    recorded.handle(req, res, { trustProxy: trustProxy as TrustProxy }).track('page view')
    recorded.handle(req, res, { trustProxy: trustProxy as TrustProxy }).track('page read')
    res.end()
  })
  for (let count = 0; count < 2; count++) {
    const { status } = await fetch(`${url}/basket`, { headers: { ...visitor('somebody'), ...headers } })
    expect(status).toBe(200)
  }
  await recorded.settled()
  expect(recorded.calls).toHaveLength(4)
  const contexts = recorded.calls.map(({ context }) => ({
    ip: context?.ip,
    url: member(context?.page, 'url'),
  }))
  expect(new Set(contexts.map((each) => JSON.stringify(each))).size).toBe(1)
  return { ...contexts[0], errors, direct: `${url}/basket` }
}

describe('tracking.handle() with trustProxy', () => {
  it.each([
    { trustProxy: true, ip: '198.51.100.1' },
    { trustProxy: 1, ip: '203.0.113.7' },
    { trustProxy: 2, ip: '198.51.100.1' },
    { trustProxy: 'loopback', ip: '203.0.113.7' },
    { trustProxy: 'loopback, 203.0.113.0/24', ip: '198.51.100.1' },
    { trustProxy: ['127.0.0.1', '203.0.113.0/255.255.255.0'], ip: '198.51.100.1' },
    { trustProxy: (_address: string, hop: number) => hop === 0, ip: '203.0.113.7' },
  ])('believes the proxies of $trustProxy', async ({ trustProxy, ip }) => {
    expect(await contextUnder(trustProxy)).toMatchObject({
      ip,
      url: 'https://shop.example:8443/basket',
      errors: [],
    })
  })

  it.each([
    { trustProxy: undefined },
    { trustProxy: false },
    { trustProxy: 0 },
    { trustProxy: '10.0.0.0/8' },
    { trustProxy: () => false },
  ])('believes nobody with $trustProxy', async ({ trustProxy }) => {
    const { ip, url, direct, errors } = await contextUnder(trustProxy)
    expect({ ip, url }).toEqual({ ip: '127.0.0.1', url: direct })
    // Whoever has said nothing is asked whether there are proxies.
    expect(errors).toEqual(
      trustProxy === undefined ? [expect.stringContaining('REQTRACK_NO_TRUST_PROXY')] : [],
    )
  })

  it.each([
    { trustProxy: 'everybody', given: '"everybody"' },
    { trustProxy: '10.0.0.0/33', given: '"10.0.0.0/33"' },
    { trustProxy: ['10.0.0.0/0'], given: '"10.0.0.0/0"' },
    { trustProxy: {}, given: 'object' },
    { trustProxy: [7], given: 'number' },
  ])('says once what it was given as $trustProxy, and believes nobody', async ({ trustProxy, given }) => {
    const { ip, url, direct, errors } = await contextUnder(trustProxy)
    expect({ ip, url }).toEqual({ ip: '127.0.0.1', url: direct })
    expect(errors).toEqual([expect.stringContaining(`trustProxy was given ${given}: expected`)])
  })

  it('reads nothing from a header that is longer than a chain of proxies makes it', async () => {
    const long = { ...FORWARDED, 'x-forwarded-for': '198.51.100.1, '.repeat(100) }
    expect((await contextUnder(true, long)).ip).toBeUndefined()
    const { ip, url, direct } = await contextUnder('10.0.0.0/8', long)
    expect({ ip, url }).toEqual({ ip: '127.0.0.1', url: direct })
  })

  it('lets no function that throws into the request', async () => {
    const { ip } = await contextUnder(() => {
      throw new Error('broken')
    })
    expect(ip).toBeUndefined()
  })
})

describe('a compiled trustProxy', () => {
  const bytes = fc.nat(255)
  const ipv4 = fc
    .tuple(fc.constantFrom(10, 127, 169, 172, 192, 203), bytes, bytes, bytes)
    .map((parts) => parts.join('.'))
  const ipv6 = fc.constantFrom('::1', '::', 'fe80::1', 'fd00::7', '2001:db8::1', '64:ff9b::a00:1')
  const mapped = ipv4.map((address) => `::ffff:${address}`)
  const address = fc.oneof(ipv4, ipv6, mapped)
  const network = fc.oneof(
    fc.constantFrom(
      'loopback',
      'linklocal',
      'uniquelocal',
      '10.0.0.0/255.0.0.0',
      '::ffff:0:0/96',
      '::/1',
      '::ffff:0:0/80',
    ),
    address,
    fc.tuple(ipv4, fc.integer({ min: 1, max: 32 })).map((parts) => parts.join('/')),
    fc.tuple(fc.oneof(ipv6, mapped), fc.integer({ min: 1, max: 128 })).map((parts) => parts.join('/')),
  )
  const networks = fc.array(network, { minLength: 1, maxLength: 4 })
  const setting = fc.oneof(
    fc.boolean(),
    fc.nat(4),
    networks,
    networks.map((list) => list.join(', ')),
  )
  const forwarded = fc.array(fc.oneof(address, fc.constantFrom('', 'unknown', '_secret', '1.2.3.4.5')), {
    maxLength: 5,
  })

  it.each(['1', '10.1', '012.0.0.1', '0xa.0.0.1', '::10.0.0.1'])(
    'takes %s, which no proxy writes, for no trusted address',
    (text) => {
      expect(compileTrust(['10.0.0.0/8', '0.0.0.0/1'])(text, 0)).toBe(false)
      expect(() => compileTrust(`${text}/zz`)).toThrow(TypeError)
    },
  )

  it('trusts whom Express trusts, and finds the client that Express finds', () => {
    fc.assert(
      fc.property(setting, address, forwarded, (trustProxy, peer, others) => {
        const app = express()
        app.set('trust proxy', trustProxy)
        const header = others.join(', ')
        const request = Object.assign(Object.create(app.request), {
          app,
          socket: { remoteAddress: peer },
          headers: { 'x-forwarded-for': header },
        })
        const trust = compileTrust(trustProxy)
        for (const [hop, each] of [peer, ...others].entries()) {
          expect(trust(each, hop)).toBe(app.get('trust proxy fn')(each, hop))
        }
        expect(addressThrough(trust, peer, header)).toBe(request.ip)
      }),
      { numRuns: 1_000 },
    )
  })
})
