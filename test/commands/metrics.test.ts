import parsePrometheusTextFormat from 'parse-prometheus-text-format'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { METRICS_TYPE } from '../../src/commands/relay/metrics.js'
import type { KeyRelay } from '../../src/commands/relay/relays.js'
import { portOfServer, type Status, serveStatus } from '../../src/commands/relay/status-server.js'
import { writeKeyHashOf } from '../../src/delivery/write-key-hash.js'
import type { Relay } from '../../src/relay/index.js'
import { fleet } from '../relay/relaying.js'
import { hasRedis } from '../support/redis.js'

/** What is served of a status: asks for a path. */
async function served(status: () => Status) {
  const server = await serveStatus(0, '127.0.0.1', status)
  onTestFinished(() => void server.close())
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${portOfServer(server)}${path}`, init)
}

function keyRelay(relay: Relay, writeKey = 'test-key', name?: string): KeyRelay {
  return { relay, name, writeKeyHash: writeKeyHashOf(writeKey) ?? '' }
}

async function parsed(response: Response) {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(METRICS_TYPE)
  const text = await response.text()
  const metrics = parsePrometheusTextFormat(text)
  return { text, metrics, value: (name: string) => metrics.find((each) => each.name === name)?.metrics }
}

describe.skipIf(!hasRedis)('the metrics of a relay', () => {
  it('are read by a parser: what waits, what arrived, what failed, and the requests', async () => {
    const { segment, write, relay: open } = await fleet()
    const ask = await served(() => ({ relays, waitsFor: undefined }))
    segment.respondWith({ status: 503 })
    await write(30)
    const relay = await open()
    const relays = [keyRelay(relay)]
    await vi.waitUntil(() => relay.health().state !== 'ok' && relay.stats().calls.pending === 30)
    const before = await parsed(await ask('/metrics'))
    expect(before.value('reqtrack_relay_up')).toEqual([{ value: '0' }])
    expect(before.value('reqtrack_relay_waiting_calls')).toEqual([{ value: '30' }])
    expect(Number(before.value('reqtrack_relay_oldest_waiting_seconds')?.[0]?.value)).toBeGreaterThan(0)
    expect(before.value('reqtrack_relay_pending_calls')).toEqual([{ value: '30' }])
    let refused: unknown
    segment.respondWith(({ messageIds }) => {
      refused ??= messageIds[0]
      return messageIds.some((id) => id === refused) ? { status: 400 } : undefined
    })
    await relay.flush({ timeout: 20_000 })
    const { metrics, value } = await parsed(await ask('/metrics'))
    expect(value('reqtrack_relay_up')).toEqual([{ value: '1' }])
    expect(value('reqtrack_relay_waiting_calls')).toEqual([{ value: '0' }])
    expect(value('reqtrack_relay_oldest_waiting_seconds')).toEqual([{ value: '0' }])
    expect(value('reqtrack_relay_calls_taken_total')).toEqual([{ value: '30' }])
    expect(value('reqtrack_relay_calls_delivered_total')).toEqual([{ value: '29' }])
    expect(value('reqtrack_relay_calls_failed_total')).toContainEqual({
      value: '1',
      labels: { reason: 'rejected' },
    })
    expect(value('reqtrack_relay_calls_failed_total')).toContainEqual({
      value: '0',
      labels: { reason: 'expired' },
    })
    expect(Number(value('reqtrack_relay_requests_total')?.[0]?.value)).toBe(segment.batches.length)
    expect(Number(value('reqtrack_relay_requests_failed_total')?.[0]?.value)).toBeGreaterThan(1)
    expect(Number(value('reqtrack_relay_retries_total')?.[0]?.value)).toBeGreaterThan(0)
    expect(Number(value('process_resident_memory_bytes')?.[0]?.value)).toBeGreaterThan(1_000_000)
    for (const { name, type, help } of metrics) {
      expect(help).not.toBe('')
      expect(type).toBe(name.endsWith('_total') ? 'COUNTER' : 'GAUGE')
    }
  })

  it('say of which write key they are where there are several, and never which write key it is', async () => {
    const { write, relay: open } = await fleet()
    await write(5)
    const one = await open()
    const other = await open({ settings: { writeKey: 'another-key' } })
    await one.flush()
    const relays = [keyRelay(one, 'test-key', 'the "shop"\\\nof all'), keyRelay(other, 'another-key')]
    const ask = await served(() => ({ relays, waitsFor: undefined }))
    const { text, value } = await parsed(await ask('/metrics'))
    expect(value('reqtrack_relay_calls_delivered_total')).toEqual([
      { value: '5', labels: { write_key: writeKeyHashOf('test-key'), source: 'the "shop"\\\nof all' } },
      { value: '0', labels: { write_key: writeKeyHashOf('another-key') } },
    ])
    expect(text).not.toContain('test-key')
    expect(text).not.toContain('another-key')
  })

  it('leave out what Redis does not tell, and health says so with 503', async () => {
    const { redis, relay: open } = await fleet()
    const relay = await open()
    await relay.flush()
    const ask = await served(() => ({ relays: [keyRelay(relay)], waitsFor: undefined }))
    expect((await ask('/healthz')).status).toBe(200)
    await redis.crash()
    await expect.poll(async () => (await ask('/healthz')).status).toBe(503)
    expect(await (await ask('/healthz')).json()).toMatchObject({
      status: 'failing',
      relays: [{ outbox: 'away', writeKeyHash: writeKeyHashOf('test-key') }],
    })
    const { value } = await parsed(await ask('/metrics'))
    expect(value('reqtrack_relay_up')).toEqual([{ value: '0' }])
    expect(value('reqtrack_relay_waiting_calls') ?? []).toEqual([])
    expect((await ask('/livez')).status).toBe(200)
  })
})

describe('the port of a relay', () => {
  it('answers 503 until there is a connection to Redis, and says what it waits for', async () => {
    const ask = await served(() => ({ relays: [], waitsFor: 'there is no connection to Redis yet' }))
    const response = await ask('/healthz?verbose')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({
      status: 'starting',
      lastError: 'there is no connection to Redis yet',
    })
    expect((await ask('/livez')).status).toBe(200)
    await parsed(await ask('/metrics'))
  })

  it('has nothing else', async () => {
    const ask = await served(() => ({ relays: [], waitsFor: undefined }))
    expect((await ask('/')).status).toBe(404)
    const response = await ask('/metrics', { method: 'POST', body: 'x' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })

  it('is said to be taken where it is', async () => {
    const server = await serveStatus(0, '127.0.0.1', () => ({ relays: [], waitsFor: undefined }))
    onTestFinished(() => void server.close())
    const port = portOfServer(server) ?? 0
    await expect(serveStatus(port, '127.0.0.1', () => ({ relays: [], waitsFor: undefined }))).rejects.toThrow(
      `port ${port} is taken: give another one with --port`,
    )
  })
})
