import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Analytics } from '@segment/analytics-node'
import { describe, expect, it, vi } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { delivering, expectBalance, keptLog } from './delivering.js'

const order = { userId: 'u-1', event: 'Order Completed' }

describe('calls on tracking.segment itself', () => {
  it('have arrived when flush() resolves, with all else that was tracked', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment)
    for (let call = 0; call < 40; call++) tracking.segment.track(order)
    tracking.segment.identify({ userId: 'u-1', traits: { plan: 'team' } })
    tracking.segment.page({ userId: 'u-1', messageId: 'page-1' })
    tracking.segment.page({ userId: 'u-1', messageId: 'page-1' })
    await trackMany(3)
    await Promise.all([tracking.flush(), tracking.flush()])
    expect(segment.received).toBe(45)
    expect(tracking.stats().calls).toMatchObject({ made: 3, delivered: 3, pending: 0 })
    expect(await tracking.shutdown()).toMatchObject({ delivered: 3, failed: 0, pending: 0, timedOut: false })
  })

  it('have arrived although the application exits after flush(), as scripts do', async () => {
    const segment = await segmentServer()
    const script = `
      import { createTracking } from ${JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))}
      const tracking = createTracking({ settings: { writeKey: 'k', host: ${JSON.stringify(segment.url)} } })
      for (let call = 0; call < 20; call++) tracking.segment.track({ userId: 'u', event: 'Job Done' })
      tracking.flush().then(() => process.exit())`
    await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script])
    expect(segment.received).toBe(20)
  })

  it('go with a client of the application before its own interval is over', async () => {
    const segment = await segmentServer()
    const analytics = new Analytics({ writeKey: 'k', host: segment.url, flushAt: 10, flushInterval: 60_000 })
    const { tracking } = await delivering(segment, { env: { analytics } })
    for (let call = 0; call < 13; call++) analytics.track(order)
    await tracking.flush()
    expect(segment.received).toBe(13)
  })

  it.each([
    ['refuses', { status: 400 }, '[400] Bad Request'],
    ['does not take, again and again,', { status: 503 }, '[503] Service Unavailable'],
  ] as const)('that Segment %s are in the log and in the report', async (_name, fault, reason) => {
    const segment = await segmentServer()
    segment.respondWith(fault)
    const { lines, logger } = keptLog()
    const { tracking } = await delivering(segment, { logger, settings: { maxRetries: 1 } })
    tracking.segment.track(order)
    tracking.segment.track(order)
    await tracking.flush()
    expect(lines).toContainEqual({
      message: 'a call that was made on tracking.segment was not delivered to Segment',
      context: { type: 'track', reason },
    })
    expect(JSON.stringify(lines)).not.toContain('u-1')
    expect(tracking.health().lastError).toBe(reason)
    const report = await tracking.shutdown()
    expect(report).toMatchObject({ failed: 2, pending: 0 })
    expect(lines.at(-1)?.message).toBe('tracking was shut down with losses')
    expectBalance(tracking)
  })

  it('that have no outcome at the shutdown are reported as pending', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { tracking } = await delivering(segment, { settings: { maxRetries: 100 } })
    tracking.segment.track(order)
    expect(await tracking.shutdown({ timeout: 300 })).toMatchObject({ pending: 1, timedOut: true })
  })

  it('in which a plugin hangs hold no flush() for ever', async () => {
    const segment = await segmentServer()
    const { tracking } = await delivering(segment)
    const track = () => new Promise<never>(() => {})
    await tracking.segment.register({
      name: 'own',
      type: 'before',
      version: '1',
      isLoaded: () => true,
      load: async () => {},
      track,
    })
    tracking.segment.track(order)
    const started = performance.now()
    await tracking.flush({ timeout: 20_000 })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await tracking.shutdown()).toMatchObject({ failed: 1, pending: 0 })
  })

  it('that are made while a flush() waits do not keep it waiting', async () => {
    const segment = await segmentServer()
    const { tracking } = await delivering(segment)
    const more = setInterval(() => tracking.segment.track(order), 1)
    await vi.waitUntil(() => segment.received > 5)
    await tracking.flush()
    clearInterval(more)
    expect(segment.received).toBeGreaterThan(5)
  })
})
