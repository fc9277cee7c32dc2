import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import type { TrackingConfig } from '../../src/index.js'
import { segmentServer, serve } from '../support/servers.js'
import { delivering, expectBalance, keptLog, temporaryDirectory } from './delivering.js'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const clientKey = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))

type Answering = (res: ServerResponse) => void

const granting =
  (token = 'the-token', seconds = 3_600): Answering =>
  (res) =>
    res.end(JSON.stringify({ access_token: token, expires_in: seconds, token_type: 'Bearer' }))

const status =
  (code: number, headers: Record<string, string> = {}): Answering =>
  (res) =>
    res.writeHead(code, headers).end('{}')

/** An OAuth server that answers as it is told. */
async function oauthServer(answer: Answering) {
  const server = { answer, requests: 0, url: '' }
  const { url } = await serve((req, res) => {
    server.requests++
    req.resume().on('end', () => server.answer(res))
  })
  server.url = url
  return server
}

function settings(authServer: string, more: object = {}): Partial<TrackingConfig['settings']> {
  return { oauthSettings: { clientId: 'client', clientKey, keyId: 'key', authServer, ...more }, flushAt: 10 }
}

/** A Segment that takes requests with a token instead of a write key. */
async function segmentWithOAuth() {
  const segment = await segmentServer()
  const endpoint = segment.url
  const { url } = await serve(async (req, res) => {
    const isToken = req.headers.authorization?.startsWith('Bearer ')
    const headers = { authorization: isToken ? `Basic ${btoa('test-key:')}` : '' }
    const answer = await fetch(endpoint + req.url, { method: 'POST', headers, body: await text(req) })
    res.writeHead(answer.status).end(await answer.text())
  })
  return Object.assign(segment, { url })
}

const FAILURES: [string, Answering, 'retrying' | 'refused'][] = [
  ['500', status(500), 'retrying'],
  ['503', status(503), 'retrying'],
  ['429', status(429), 'retrying'],
  ['404', status(404), 'retrying'],
  ['a redirect', status(302, { location: '/elsewhere' }), 'retrying'],
  ['400', status(400), 'refused'],
  ['401', status(401), 'refused'],
  ['403', status(403), 'refused'],
  ['415', status(415), 'refused'],
  ['no JSON', (res) => res.end('<html>'), 'retrying'],
  ['JSON without a token', (res) => res.end('{"expires_in":60}'), 'retrying'],
  ['a token without an age', (res) => res.end('{"access_token":"t"}'), 'retrying'],
  ['null', (res) => res.end('null'), 'retrying'],
  ['an endless answer', (res) => res.end('x'.repeat(1_000_000)), 'retrying'],
  ['a reset', (res) => res.destroy(), 'retrying'],
]

describe('an OAuth server', () => {
  it.each(FAILURES)(
    'that answers with %s is asked with pauses, and costs no call',
    async (_name, answer, state) => {
      const segment = await segmentWithOAuth()
      const oauth = await oauthServer(answer)
      const { lines, logger } = keptLog()
      const { tracking, trackMany } = await delivering(segment, { logger, settings: settings(oauth.url) })
      await trackMany(100)
      await vi.waitUntil(() => tracking.health().state === state)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      expect(oauth.requests).toBeLessThanOrEqual(4)
      expect(tracking.stats().calls).toMatchObject({ made: 100, pending: 100 })
      expect(tracking.health().lastError).toMatch(/^OAuth: /)
      expect(JSON.stringify(lines)).not.toMatch(/PRIVATE|client_assertion|the-token/)
      oauth.answer = granting()
      await tracking.flush({ timeout: 15_000 })
      expect(tracking.stats().calls).toMatchObject({ delivered: 100, pending: 0 })
      expect(tracking.health().state).toBe('ok')
      expectBalance(tracking)
    },
  )

  it('is asked for as long as it says with Retry-After', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(status(429, { 'retry-after': '2' }))
    const { tracking, trackMany } = await delivering(segment, { settings: settings(oauth.url) })
    await trackMany(5)
    await vi.waitUntil(() => oauth.requests === 1)
    oauth.answer = granting()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(oauth.requests).toBe(1)
    await tracking.flush()
    expect(oauth.requests).toBe(2)
    expect(tracking.stats().calls.delivered).toBe(5)
  })

  it('that hangs holds no shutdown beyond its deadline, and is left alone after it', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(() => {})
    const { tracking, trackMany } = await delivering(segment, { settings: settings(oauth.url) })
    await trackMany(5)
    await vi.waitUntil(() => oauth.requests === 1)
    expect(await tracking.shutdown({ timeout: 500 })).toMatchObject({ pending: 5, timedOut: true })
    const { requests } = oauth
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(oauth.requests).toBe(requests)
    expectBalance(tracking)
  })

  it('that fails leaves calls in the outbox, and is left alone after the shutdown', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(status(500))
    const directory = temporaryDirectory()
    const config = () => ({ settings: settings(oauth.url), delivery: { outbox: fileOutbox({ directory }) } })
    const first = await delivering(segment, config())
    await first.trackMany(20)
    await vi.waitUntil(() => first.tracking.health().state === 'retrying')
    expect(await first.tracking.shutdown()).toMatchObject({ kept: 20, timedOut: false })
    const { requests } = oauth
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(oauth.requests).toBe(requests)
    oauth.answer = granting()
    await delivering(segment, config())
    await segment.waitFor(20)
  })

  it('is asked once for all requests that go at a time', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer((res) => setTimeout(() => granting()(res), 200))
    const { tracking, trackMany } = await delivering(segment, { settings: settings(oauth.url) })
    await trackMany(40)
    await tracking.flush()
    expect(oauth.requests).toBe(1)
    expect(segment.batches.length).toBeGreaterThan(1)
  })

  it('is asked again when a token has expired, or Segment does not take it', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(granting('short', 0.3))
    const { tracking, trackMany } = await delivering(segment, { settings: settings(oauth.url) })
    await trackMany(1)
    await tracking.flush()
    oauth.answer = granting('long')
    await new Promise((resolve) => setTimeout(resolve, 400))
    await trackMany(1)
    await tracking.flush()
    expect(oauth.requests).toBe(2)
    segment.respondWith([{ status: 401 }])
    await trackMany(1)
    await tracking.flush({ timeout: 10_000 })
    expect(oauth.requests).toBe(3)
    expect(tracking.stats().calls).toMatchObject({ delivered: 3, pending: 0 })
  })

  it('is asked for the next token while the last one still serves', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(granting('first', 2))
    const { tracking, trackMany } = await delivering(segment, { settings: settings(oauth.url) })
    await trackMany(1)
    await tracking.flush()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    oauth.answer = () => {}
    await trackMany(1)
    await tracking.flush({ timeout: 800 })
    expect(tracking.stats().calls).toMatchObject({ delivered: 2, pending: 0 })
    expect(oauth.requests).toBe(2)
  })

  it('has an HTTP client of its own where the settings give one', async () => {
    const segment = await segmentWithOAuth()
    const answer = {
      status: 200,
      statusText: 'OK',
      text: async () => '{"access_token":"own","expires_in":60}',
    }
    const httpClient = { makeRequest: vi.fn(async () => answer) }
    const { tracking, trackMany } = await delivering(segment, {
      settings: settings('https://oauth.example', { httpClient }),
    })
    await trackMany(5)
    await tracking.flush()
    expect(tracking.stats().calls.delivered).toBe(5)
    expect(httpClient.makeRequest).toHaveBeenCalledOnce()
  })

  it('is not asked with a key that is none: that is said', async () => {
    const segment = await segmentWithOAuth()
    const oauth = await oauthServer(granting())
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, {
      logger,
      settings: settings(oauth.url, { clientKey: '-----BEGIN PRIVATE KEY-----\\nMIIEv' }),
    })
    await trackMany(5)
    await vi.waitUntil(() => tracking.health().state === 'refused')
    expect(tracking.health().lastError).toBe(
      'OAuth: settings.oauthSettings.clientKey is no private key in PEM form',
    )
    expect(oauth.requests).toBe(0)
    expect(lines.filter(({ message }) => message.includes('settings.oauthSettings'))).toHaveLength(1)
    expect(JSON.stringify(lines)).not.toContain('MIIEv')
  })
})
