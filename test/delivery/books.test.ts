import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Analytics, type Context } from '@segment/analytics-node'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Ledger, Unsettled, watchBooks } from '../../src/delivery/index.js'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { internalsOf } from '../../src/frameworks/adapter.js'
import type { Tracking, TrackingConfig } from '../../src/index.js'
import type { Fault } from '../../src/testing/index.js'
import { changed } from '../support/outboxes.js'
import { segmentServer } from '../support/servers.js'
import { delivering, keptLog, temporaryDirectory } from './delivering.js'

/** What the ledger says beside what the rooms of the delivery hold, wherever they differ. */
function watching(): { differences: unknown[]; check: () => void; of: (tracking: Tracking) => void } {
  let watched: Tracking | undefined
  const differences: unknown[] = []
  const check = () => {
    if (!watched) return
    const { made, pending } = watched.stats().calls
    const counted = internalsOf(watched, 'test').countPending()
    if (pending !== counted || pending < 0 || pending > made) differences.push({ made, pending, counted })
  }
  for (const name of ['dispatch', 'delivered', 'failed', 'dropped']) {
    subscribe(`reqtrack:${name}`, check)
    onTestFinished(() => void unsubscribe(`reqtrack:${name}`, check))
  }
  return {
    differences,
    check,
    of: (tracking) => {
      watched = tracking
    },
  }
}

const faults = fc.constantFrom<Fault | 'ok'>(
  'ok',
  { status: 503 },
  { status: 400 },
  { status: 401 },
  { status: 429, retryAfter: 0 },
  { reset: true },
  { hang: true },
)

const acts = fc.constantFrom<((context: Context, index: number) => unknown)[]>(
  (context) => context,
  (context, index) => (index % 5 === 0 ? context.cancel() : context),
  (context, index) => (index % 7 === 0 ? new Promise(() => {}) : context),
)

describe('the books of calls', () => {
  it('agree at every moment with what the rooms of the delivery hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(faults, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 10, max: 60 }),
        fc.constantFrom('memory' as const, 'outbox' as const, 'full outbox' as const),
        fc.boolean(),
        acts,
        fc.boolean(),
        async (script, loads, maxPending, kind, isOwnClient, act, isFlushed) => {
          const segment = await segmentServer()
          segment.respondWith(script)
          const { differences, check, of } = watching()
          const maxBytes = kind === 'full outbox' ? 10_000 : undefined
          const outbox =
            kind === 'memory' ? undefined : fileOutbox({ directory: temporaryDirectory(), maxBytes })
          const config: Partial<TrackingConfig> = {
            delivery: { maxPending, outbox },
            logger: { level: 'DEBUG', handler: check },
            on: { delivered: check, failed: check, shutdown: check },
          }
          const settings = { flushAt: 10, flushInterval: 5, httpRequestTimeout: 300, maxRetries: 1 }
          const analytics = new Analytics({ writeKey: 'k', host: segment.url, ...settings, maxRetries: 0 })
          const { tracking, trackMany } = await delivering(segment, {
            ...config,
            settings,
            ...(isOwnClient && { env: { analytics } }),
          })
          of(tracking)
          let index = 0
          await tracking.segment.register({
            name: 'own',
            type: 'before',
            version: '1',
            isLoaded: () => true,
            load: async () => {},
            track: (context) => act(context, index++) as Context,
          })
          for (const event of [
            'dispatch_start',
            'track',
            'error',
            'http_request',
            'http_response',
            'drained',
          ]) {
            Reflect.apply(tracking.segment.on, tracking.segment, [event, check])
          }
          const watch = setInterval(check, 1)
          for (const load of loads) await trackMany(load)
          if (isFlushed) await tracking.flush({ timeout: 1_000 })
          check()
          await tracking.shutdown({ timeout: 700 })
          clearInterval(watch)
          check()
          expect(differences).toEqual([])
          await segment.close()
        },
      ),
      { numRuns: 25 },
    )
  }, 180_000)

  it('agree while the disk of an outbox hangs, and when it answers again', async () => {
    const segment = await segmentServer()
    const { differences, check, of } = watching()
    const outbox = fileOutbox({ directory: temporaryDirectory(), commitInterval: 0 })
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const { tracking, trackMany } = await delivering(segment, {
      logger: { level: 'DEBUG', handler: check },
      on: { delivered: check, failed: check },
      delivery: {
        maxPending: 20,
        outbox: changed(outbox, ({ write }) => ({
          async write(calls, room) {
            await answered
            return write(calls, room)
          },
        })),
      },
    })
    of(tracking)
    const watch = setInterval(check, 5)
    onTestFinished(() => clearInterval(watch))
    await trackMany(15)
    await vi.waitUntil(() => tracking.stats().calls.delivered > 0)
    await trackMany(15)
    answer()
    await trackMany(15)
    await tracking.flush({ timeout: 5_000 })
    await tracking.shutdown()
    check()
    expect(differences).toEqual([])
    expect(tracking.stats().calls.pending).toBe(0)
  })

  it('are compared in development, where nothing is said while they agree', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    onTestFinished(() => void vi.unstubAllEnvs())
    const segment = await segmentServer()
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, { logger })
    await trackMany(10)
    await tracking.flush()
    await tracking.shutdown()
    expect(lines.filter(({ message }) => message.includes('the books'))).toEqual([])
  })

  it('that differ from what is counted are told of once', async () => {
    const ledger = new Ledger(
      new Unsettled(
        () => {},
        () => false,
      ),
    )
    const differ = vi.fn()
    let counted = 1
    watchBooks(ledger, { open: () => 0, pending: () => counted }, differ)
    ledger.made()
    await new Promise(setImmediate)
    expect(differ).not.toHaveBeenCalled()
    counted = 5
    ledger.made()
    await new Promise(setImmediate)
    expect(differ).toHaveBeenCalledExactlyOnceWith({ open: 0, countedOpen: 0, pending: 2, countedPending: 5 })
    ledger.made()
    await new Promise(setImmediate)
    expect(differ).toHaveBeenCalledOnce()
    ledger.delivered()
  })
})
