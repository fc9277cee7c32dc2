import { describe, expect, it, vi } from 'vitest'
import { arrived, expectBalance } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { fleet, streamOf, waiting } from './fleet.js'

/** The params of such a call, some of which are to be other ones. */
function paramsWith(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    userId: 'u-1',
    event: 'E',
    messageId: 'm-later',
    timestamp: new Date(),
    properties: { index: 1 },
    ...changes,
  })
}

/** The call of a later version, with which some fields are to be other ones; `undefined` leaves a field out. */
function laterEntry(changes: Readonly<Record<string, string | undefined>> = {}): string[] {
  const fields: Record<string, string | undefined> = {
    v: '2',
    t: 'track',
    m: 'm-later',
    a: String(Date.now()),
    b: 'somebody',
    p: paramsWith(),
    ...changes,
  }
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/** A stream that exists. */
async function madeStream() {
  const made = await fleet()
  const web = await made.process({}, { delivery: { send: false } })
  await web.trackMany(1)
  await web.tracking.flush()
  return { ...made, web, key: await streamOf(made.app) }
}

describe.skipIf(!hasRedis)('an entry of another version', () => {
  it('is delivered where it has more fields only', async () => {
    const { segment, app, process, key } = await madeStream()
    await app.send('XADD', key, '*', ...laterEntry({ compressed: 'no' }))
    const relay = await process()
    await segment.waitFor(2)
    await relay.tracking.flush()
    expect(new Set(arrived(segment))).toEqual(new Set([0, 1]))
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    expect(await app.send('XLEN', key.replace(':calls', ':aside'))).toBe(0)
    expectBalance(relay.tracking)
  }, 30_000)

  it.each([
    ['nothing that is known', { t: undefined, m: undefined, a: undefined, b: undefined, p: undefined }],
    ['a type that there is not', { t: 'alias2' }],
    ['no type', { t: undefined }],
    ['no messageId', { m: undefined }],
    ['no time', { a: undefined }],
    ['an empty time', { a: '' }],
    ['a time in another form', { a: '2026-11-26T00:00:00Z' }],
    ['a time without an end', { a: '1e999' }],
    ['no params', { p: undefined }],
    ['compressed params', { p: 'H4sIAAAAAAAAA6tWKi1OLfJMUbJSKtU1VKoFAOCdLpgSAAAA' }],
    ['params that are nothing', { p: 'null' }],
    ['params that are a list', { p: '[{"userId":"u-1"}]' }],
    ['params that are a text', { p: '"text"' }],
    ['a messageId that its params do not have', { m: 'm-other' }],
    ['params without a messageId', { p: paramsWith({ messageId: undefined }) }],
    ['params with a messageId that is no text', { m: '7', p: paramsWith({ messageId: 7 }) }],
    ['an empty messageId', { m: '', p: paramsWith({ messageId: '' }) }],
  ])(
    'is set aside and counted where its fields mean something else: %s',
    async (_name, changes) => {
      const { segment, app, process, key } = await madeStream()
      const entry = laterEntry(changes)
      await app.send('XADD', key, '*', ...entry)
      const relay = await process()
      await segment.waitFor(1)
      await vi.waitUntil(() => relay.tracking.stats().calls.failed.damaged === 1)
      await relay.tracking.flush()
      expect(arrived(segment)).toEqual([0])
      expect(relay.tracking.stats().calls).toMatchObject({ delivered: 1, pending: 0 })
      expect(relay.tracking.health().lastError).toContain('are set aside')
      await vi.waitUntil(async () => (await waiting(app)) === 0)
      // As it is: the version that knows it can be given it again.
      const aside = [await app.send('XRANGE', key.replace(':calls', ':aside'), '-', '+')].flat()
      expect(aside).toEqual([[expect.any(String), expect.arrayContaining(entry)]])
      expectBalance(relay.tracking)
    },
    30_000,
  )
})
