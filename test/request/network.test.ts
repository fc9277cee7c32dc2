import { isIP } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { anonymizeIp, readIp, readLocale, readUserAgent } from '../../src/request/network.js'

describe('readIp', () => {
  it.each([
    ['203.0.113.77', '203.0.113.77'],
    ['::ffff:203.0.113.77', '203.0.113.77'],
    ['::FFFF:cb00:714d', '203.0.113.77'],
    ['2001:DB8:85A3:0:0:8A2E:370:7334', '2001:db8:85a3::8a2e:370:7334'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['203.0.113.77:51234', '203.0.113.77'],
    ['[2001:db8::1]:443', '2001:db8::1'],
  ])('reads %s', (raw, ip) => {
    expect(readIp(raw, true)).toBe(ip)
  })

  it.each([
    '',
    'unknown',
    '_hidden',
    '203.0.113',
    '203.0.113.256',
    '010.0.0.1',
    '0x7f.1',
    '203.0.113.77, 10.0.0.1',
  ])('takes "%s" for no address', (raw) => {
    expect(readIp(raw, true)).toBeUndefined()
    expect(readIp(raw, 'anonymize')).toBeUndefined()
  })

  it('gives the canonical form of every IPv6 address, as ipaddr.js does', () => {
    const dotted = fc.ipV4().map((address) => `64:ff9b::${address}`)
    const sparse = fc
      .array(fc.constantFrom('0', '0000', '1', 'AB', 'ffff'), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.join(':'))
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), dotted, sparse), (address) => {
        // An IPv4-compatible address, which RFC 4291 has deprecated, stays one of IPv6; ipaddr.js takes it for a mapped one.
        fc.pre(isIP(address) === 6 && !/^::\d+\.\d/.test(address))
        const parsed = ipaddr.IPv6.parse(address)
        const expected = parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed
        expect(readIp(address, true)).toBe(expected.toString())
      }),
      { numRuns: 1_000 },
    )
  })

  it('follows its mode', () => {
    expect(readIp('203.0.113.77', false)).toBeUndefined()
    expect(readIp('203.0.113.77', 'anonymize')).toBe('203.0.113.0')
    expect(readIp(undefined, true)).toBeUndefined()
  })
})

describe('anonymizeIp', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0'],
    ['::ffff:203.0.113.77', '203.0.113.0'],
    ['::ffff:cb00:714d', '203.0.113.0'],
    ['2001:db8:85a3::8a2e:370:7334', '2001:db8:85a3::'],
    ['2001:db8:85a3:1234::1', '2001:db8:85a3::'],
    ['64:ff9b::203.0.113.77', '64:ff9b::'],
  ])('cuts %s to its network', (raw, network) => {
    expect(anonymizeIp(raw)).toBe(network)
  })

  it('leaves no whole IPv4 address in a 6to4 address', () => {
    expect(anonymizeIp('2002:cb00:714d::1')).toBe('2002:cb00:7100::')
  })

  it('does not tell neighbours apart', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, octet, octet, (a, b, c, one, other) => {
        expect(anonymizeIp(`${a}.${b}.${c}.${one}`)).toBe(anonymizeIp(`::ffff:${a}.${b}.${c}.${other}`))
      }),
    )
  })
})

it('gives an address or nothing, whatever it is given', () => {
  const group = fc.oneof(fc.stringMatching(/^[0-9a-fA-F]{0,4}$/), fc.ipV4())
  const near = fc.array(group, { maxLength: 9 }).map((groups) => groups.join(':'))
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    near,
    near.map((address) => `${address}%1`),
    fc.string(),
  )
  fc.assert(
    fc.property(text, (raw) => {
      const ip = readIp(raw, true)
      expect(ip !== undefined).toBe(anonymizeIp(raw) !== undefined)
      if (ip === undefined) expect(isIP(raw)).toBe(0)
      else expect(isIP(ip)).not.toBe(0)
    }),
    { numRuns: 1000 },
  )
})

describe('readLocale', () => {
  it.each([
    ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr-CH'],
    ['en;q=0.5, de-AT;q=0.8, de;q=0.8', 'de-AT'],
    ['*;q=0.9, da;q=0.1', 'da'],
    ['en-GB-oxendict,en-US;q=0.9', 'en-GB-oxendict'],
    ['zh-hans-cn', 'zh-Hans-CN'],
    ['EN-us', 'en-US'],
    ['not_a_tag, sv', 'sv'],
    ['de;q=0, en;q=0.2', 'en'],
    ['de;q=high, en;q=0.2', 'en'],
    ['de ; q=0.2 , en ; q=0.7', 'en'],
  ])('reads %s as %s', (header, locale) => {
    expect(readLocale(header)).toBe(locale)
  })

  it.each(['*', '', ',', 'x', 'en_US', '12345', 'en;q=0', `en-x-${'abcdefgh-'.repeat(5)}a`])(
    'knows no language for "%s"',
    (header) => {
      expect(readLocale(header)).toBeUndefined()
    },
  )

  it('does not look through an endless header', () => {
    expect(readLocale(`${'en_US,'.repeat(100)}de`)).toBeUndefined()
    expect(readLocale(undefined)).toBeUndefined()
  })

  it('gives a valid tag or nothing, whatever the header', () => {
    const near = fc.array(fc.stringMatching(/^[A-Za-z0-9*-]{0,9}(;q=[01]?\.?[0-9]{0,4})?$/)).map(String)
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (header) => {
        const locale = readLocale(header)
        if (locale !== undefined) expect(Intl.getCanonicalLocales(locale)).toHaveLength(1)
      }),
    )
  })
})

describe('readUserAgent', () => {
  it('reads what the client calls itself, up to 512 characters', () => {
    expect(readUserAgent('curl/8.5.0')).toBe('curl/8.5.0')
    expect(readUserAgent('x'.repeat(16_000))).toBe('x'.repeat(512))
  })

  it.each([undefined, '', '  '])('knows no name for %j', (header) => {
    expect(readUserAgent(header)).toBeUndefined()
  })
})
