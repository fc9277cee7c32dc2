import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import { bots, prefetches } from '../../src/request/skip.js'

function requestWith(headers: IncomingHttpHeaders): TrackedRequest {
  return {
    headers,
    cookies: new Map(),
    method: 'GET',
    url: new URL('http://localhost/'),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}

const browser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'

describe('bots', () => {
  it.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    'curl/8.5.0',
  ])('knows %s', (agent) => {
    expect(bots()(requestWith({ 'user-agent': agent }))).toBe(true)
  })

  it.each([
    browser,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    '',
  ])('takes "%s" for no bot', (agent) => {
    expect(bots()(requestWith({ 'user-agent': agent }))).toBe(false)
  })

  it('takes a request without the header for no bot', () => {
    expect(bots()(requestWith({}))).toBe(false)
  })

  it('looks at no more than the beginning', () => {
    expect(bots()(requestWith({ 'user-agent': `${browser}${' Safari/537.36'.repeat(100)} Googlebot` }))).toBe(
      false,
    )
  })
})

describe('prefetches', () => {
  it.each([
    ['sec-purpose', 'prefetch'],
    ['sec-purpose', 'prefetch;prerender'],
    ['sec-purpose', 'prefetch;anonymous-client-ip'],
    ['purpose', 'prefetch'],
    ['purpose', 'Prefetch'],
    ['x-moz', 'prefetch'],
    ['x-purpose', 'preview'],
  ])('knows %s: %s', (name, value) => {
    expect(prefetches()(requestWith({ [name]: value }))).toBe(true)
  })

  it.each([
    ['sec-purpose', 'pre'],
    ['purpose', 'navigation'],
    ['x-moz', ''],
    ['sec-fetch-mode', 'prefetch'],
  ])('takes %s: %s for no prefetch', (name, value) => {
    expect(prefetches()(requestWith({ [name]: value }))).toBe(false)
  })
})

it('is named for what it does', () => {
  expect(bots().name).toBe('bots')
  expect(prefetches().name).toBe('prefetches')
})

it('says yes or no to any headers', () => {
  const name = fc.constantFrom('user-agent', 'sec-purpose', 'purpose', 'x-moz', 'x-purpose')
  fc.assert(
    fc.property(fc.dictionary(name, fc.string()), (headers) => {
      expect(typeof bots()(requestWith(headers))).toBe('boolean')
      expect(typeof prefetches()(requestWith(headers))).toBe('boolean')
    }),
  )
})
