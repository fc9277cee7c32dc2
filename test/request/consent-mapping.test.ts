import { describe, expect, test } from 'vitest'
import {
  axeptio,
  type ConsentOptions,
  consentCookie,
  consentHeader,
  cookieFirst,
  klaro,
  tarteaucitron,
} from '../../src/request/consent/index.js'
import { json } from './consent-formats.js'
import { requestWith } from './consent-request.js'

/** CookieFirst stands for all managers here: the mapping is the same for each. */
function read(record: Record<string, boolean>, options?: ConsentOptions): object | undefined {
  return cookieFirst(options)(requestWith(`cookiefirst-consent=${json(record)}`))
}

describe('categories', () => {
  test('have to be granted all, behind one key', () => {
    const categories = { performance: 'analytics', advertising: 'analytics' }
    expect(read({ performance: true, advertising: true }, { categories })).toEqual({ analytics: true })
    expect(read({ performance: true, advertising: false }, { categories })).toEqual({ analytics: false })
  })

  test('of which one is necessary are not refused with the others', () => {
    const categories = { necessary: 'functional', functional: 'functional' }
    expect(read({ necessary: true, functional: false }, { categories })).toEqual({ functional: true })
    expect(read({ necessary: false, functional: false }, { categories })).toEqual({ functional: false })
  })

  test('may stand for several keys', () => {
    const categories = { advertising: ['marketing', 'personalization'] }
    expect(read({ advertising: true }, { categories })).toEqual({ marketing: true, personalization: true })
  })

  test('that you map and a choice leaves out are refused', () => {
    const categories = { advertising: 'marketing', social: 'marketing', performance: 'analytics' }
    expect(read({ advertising: true }, { categories })).toEqual({ marketing: false, analytics: false })
  })

  test('that no map names have no effect', () => {
    expect(read({ performance: true, social: true }, { categories: { performance: 'analytics' } })).toEqual({
      analytics: true,
    })
  })

  test('replace the default map as a whole', () => {
    expect(read({ necessary: true, advertising: true }, { categories: { advertising: 'ads' } })).toEqual({
      ads: true,
    })
    expect(read({ necessary: true }, { categories: {} })).toBeUndefined()
  })

  test('cannot be inherited', () => {
    const categories = { constructor: 'marketing', toString: 'analytics' }
    expect(read({ necessary: true }, { categories })).toEqual({ marketing: false, analytics: false })
  })
})

test.each([
  ['klaro', klaro],
  ['axeptio', axeptio],
  ['tarteaucitron', tarteaucitron],
])('%s says so where its map is missing', (name, factory) => {
  // @ts-expect-error: the types require the map, and JavaScript does not read types.
  expect(() => factory({})).toThrow(
    new RegExp(`^${name}\\(\\) got no categories: .* as in ${name}\\(\\{ categories`),
  )
  // @ts-expect-error: as above.
  expect(() => factory()).toThrow(TypeError)
})

describe.each([
  ['consentHeader', (value: string) => requestWith('', { 'x-consent': value }), consentHeader('X-Consent')],
  ['consentCookie', (value: string) => requestWith(`x-consent=${value}`), consentCookie('x-consent')],
] as const)('%s', (name, request, reader) => {
  test('is called by the name of its factory', () => {
    expect(reader.name).toBe(name)
  })

  test('takes walkerOS keys as they are, and what is left out for unknown', () => {
    expect(reader(request('{"analytics":true,"marketing":false}'))).toEqual({
      analytics: true,
      marketing: false,
    })
    expect(reader(request(json({ analytics: true, 'my-key': true })))).toEqual({
      analytics: true,
      'my-key': true,
    })
  })

  test.each([
    ['words for booleans', '{"analytics":"true","marketing":1}'],
    ['a list', '[true]'],
    ['not an object', 'true'],
    ['malformed JSON', '{"analytics":true'],
    ['JSON twice, as duplicate headers are joined', '{"analytics":true}, {"analytics":true}'],
    ['malformed encoding', '%7B%22analytics%22:true%7'],
    ['encoded twice', encodeURIComponent(json({ analytics: true }))],
    ['inherited names', '{"__proto__":true,"constructor":true,"toString":false}'],
    ['a name that is none', '{"a key":true}'],
    ['nothing', ''],
  ])('does not know %s', (_, value) => {
    expect(reader(request(value))).toBeUndefined()
  })

  test('reads what a browser would keep, and nothing longer', () => {
    const consent = '{"analytics":true}'
    expect(reader(request(consent.padEnd(4_096, '%20')))).toBeUndefined()
    expect(reader(request(`{"analytics":true,"x":"${'x'.repeat(4_000)}"}`))).toEqual({ analytics: true })
    expect(reader(request(`{"analytics":true,"x":"${'x'.repeat(4_096)}"}`))).toBeUndefined()
  })
})

test('consentCookie reads what Express made of an object', () => {
  const cookie = `c=${encodeURIComponent(`j:${JSON.stringify({ analytics: true, marketing: false })}`)}`
  expect(consentCookie('c')(requestWith(cookie))).toEqual({ analytics: true, marketing: false })
})

test('a mirror with a map refuses what its JSON leaves out', () => {
  const reader = consentHeader('x-consent', { categories: { stats: 'analytics', ads: 'marketing' } })
  expect(reader(requestWith('', { 'x-consent': '{"stats":true}' }))).toEqual({
    analytics: true,
    marketing: false,
  })
  expect(reader(requestWith('', {}))).toBeUndefined()
  expect(reader(requestWith('', { 'x-consent': '{}' }))).toBeUndefined()
})
