import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCall, type ReceivedCall } from '../../src/testing/index.js'

test.each<[ReceivedCall, string]>([
  [
    { type: 'track', event: 'Order Completed', userId: 'u1', anonymousId: 'a1', properties: { total: 42 } },
    'track     Order Completed  user=u1 anon=a1  {"total":42}',
  ],
  [{ type: 'track', event: 'A', userId: null, anonymousId: 'a1', properties: {} }, 'track     A  anon=a1'],
  [{ type: 'identify', userId: 'u1', traits: { plan: 'pro' } }, 'identify  user=u1  {"plan":"pro"}'],
  [
    { type: 'group', groupId: 'g1', userId: 'u1', traits: { name: 'Acme' } },
    'group     g1  user=u1  {"name":"Acme"}',
  ],
  [{ type: 'page', category: 'Docs', name: 'Home', anonymousId: 'a1' }, 'page      Docs Home  anon=a1'],
  [{ type: 'page', anonymousId: 'a1', properties: null }, 'page      anon=a1'],
  [{ type: 'screen', name: 'Cart', anonymousId: 'a1' }, 'screen    Cart  anon=a1'],
  [{ type: 'alias', userId: 'u1', previousId: 'a1' }, 'alias     previous=a1 user=u1'],
  [
    {
      type: 'track',
      event: 'A',
      userId: 'u1',
      context: { consent: { categoryPreferences: { analytics: true, marketing: false } } },
    },
    'track     A  user=u1  consent: analytics=true marketing=false',
  ],
  [{ type: 'track', event: 'A', userId: 'u1', context: { consent: 'odd' } }, 'track     A  user=u1'],
])('%j', (call, line) => {
  expect(formatCall(call)).toBe(line)
})

test('what is long is cut', () => {
  const long = 'x'.repeat(10_000)
  const line = formatCall({
    type: 'track',
    event: long,
    userId: long,
    anonymousId: long,
    properties: { long },
    context: { consent: { categoryPreferences: { [long]: true } } },
  })
  expect(line.length).toBeLessThan(700)
  expect(line.match(/…/g)).toHaveLength(5)
})

test('a value nested too deeply to be written is left out', () => {
  const depth = 20_000
  const properties: Record<string, unknown> = { a: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) }
  expect(formatCall({ type: 'track', event: 'A', userId: 'u1', properties })).toBe(
    'track     A  user=u1  {…}',
  )
})

test('nothing that a visitor typed can steer a terminal', () => {
  expect(formatCall({ type: 'track', event: '\u001b[2J\r\n\u202e\u2028', userId: '\u009b31m\ud83d' })).toBe(
    'track     \\u{1b}[2J\\u{d}\\u{a}\\u{202e}\\u{2028}  user=\\u{9b}31m\\u{d83d}',
  )
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, text, (event, userId, key, value) => {
      const context = { consent: { categoryPreferences: { [value]: true } } }
      const line = formatCall({ type: 'track', event, userId, properties: { [key]: value }, context })
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})
