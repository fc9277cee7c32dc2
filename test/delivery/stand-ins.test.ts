import { EventEmitter } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { TrackingConfig } from '../../src/index.js'
import { segmentServer } from '../support/servers.js'
import { delivering, expectBalance } from './delivering.js'

type StandIn = NonNullable<NonNullable<TrackingConfig['env']>['analytics']>

/** Something in the client's place, with one function for all methods. */
function standIn(method: (params: { messageId?: string }) => unknown, more: object = {}): StandIn {
  const call = (params: { messageId?: string }) => method(params) as undefined
  return { track: call, identify: call, group: call, page: call, screen: call, ...more }
}

async function deliveringTo(analytics: StandIn) {
  return await delivering(await segmentServer(), { env: { analytics } })
}

/** A client that emits what it is told to. */
class Emitting extends EventEmitter {
  readonly analytics: StandIn = standIn((params) => this.act(params), {
    on: (event: string, listener: () => void) => this.on(event, listener),
    flush: () => this.flush(),
  })
  act: (params: object) => unknown = () => {}
  flush: () => unknown = () => {}
}

describe('a stand-in whose `on` takes no listeners', () => {
  it.each([
    ['throws', () => expect.unreachable('boom')],
    ['rejects', () => Promise.reject(new Error('boom'))],
    [
      'gives a then that cannot be read',
      () => Object.defineProperty({}, 'then', { get: () => expect.unreachable() }),
    ],
  ] as const)('since it %s harms nothing', async (_what, on) => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const { tracking, trackMany } = await deliveringTo(standIn(() => {}, { on }))
    await trackMany(3)
    await tracking.flush({ timeout: 50 })
    await tracking.shutdown({ timeout: 50 })
    expect(tracking.stats().calls).toMatchObject({ made: 3, pending: 0 })
    expectBalance(tracking)
    await new Promise(setImmediate)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('a stand-in without events', () => {
  it('whose methods return promises has delivered a call when its promise is fulfilled', async () => {
    let goOn = () => {}
    const answered = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const { tracking, trackMany } = await deliveringTo(standIn(() => answered))
    await trackMany(3)
    await vi.waitUntil(() => tracking.stats().calls.made === 3)
    expect(tracking.stats().calls).toMatchObject({ pending: 3, delivered: 0 })
    goOn()
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ pending: 0, delivered: 3 })
  })

  it.each([
    ['throws', () => expect.unreachable('boom'), 'rejected'],
    ['rejects', () => Promise.reject(new Error('boom')), 'cancelled'],
    ['rejects with what is no error', () => Promise.reject('boom'), 'cancelled'],
    ['rejects with nothing', () => Promise.reject(), 'cancelled'],
  ] as const)('that %s fails its calls by name, and not the process', async (_name, act, reason) => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const method = vi.fn(act)
    const { tracking, trackMany } = await deliveringTo(standIn(method))
    await trackMany(20)
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ pending: 0, failed: { [reason]: 20 } })
    expect(method).toHaveBeenCalledTimes(20)
    expect(unhandled).not.toHaveBeenCalled()
    expectBalance(tracking)
  })

  it('whose network fails is tried again, with pauses', async () => {
    const error = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' })
    const method = vi.fn(() => (method.mock.calls.length > 30 ? Promise.resolve() : Promise.reject(error)))
    const { tracking, trackMany } = await deliveringTo(standIn(method))
    await trackMany(10)
    await vi.waitUntil(() => tracking.health().state === 'retrying')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(method.mock.calls.length).toBeLessThanOrEqual(20)
    await tracking.flush({ timeout: 10_000 })
    expect(tracking.stats().calls).toMatchObject({ pending: 0, delivered: 10 })
  })

  it.each([
    ['throws', () => expect.unreachable('boom')],
    ['rejects', () => Promise.reject(new Error('boom'))],
    ['hangs', () => new Promise(() => {})],
  ])('whose closeAndFlush() %s does not keep a shutdown from its report', async (_name, closeAndFlush) => {
    const { tracking, trackMany } = await deliveringTo(standIn(() => {}, { closeAndFlush }))
    await trackMany(3)
    expect(await tracking.shutdown({ timeout: 500 })).toMatchObject({ delivered: 3, pending: 0 })
  })
})

describe('a stand-in with events', () => {
  it('is flushed with pauses while no outcome comes', async () => {
    const client = new Emitting()
    client.flush = vi.fn()
    const { tracking, trackMany } = await deliveringTo(client.analytics)
    await trackMany(3)
    await tracking.flush({ timeout: 1_000 })
    expect(client.flush).toHaveBeenCalled()
    expect(vi.mocked(client.flush).mock.calls.length).toBeLessThan(15)
  })

  it('whose flush() rejects is flushed again with pauses, too', async () => {
    const client = new Emitting()
    client.flush = vi.fn(() => Promise.reject(new Error('boom')))
    const { tracking, trackMany } = await deliveringTo(client.analytics)
    await trackMany(3)
    await tracking.flush({ timeout: 1_000 })
    expect(vi.mocked(client.flush).mock.calls.length).toBeLessThan(15)
  })

  it('whose flush() hangs gets new calls', async () => {
    const client = new Emitting()
    client.flush = () => new Promise(() => {})
    const { tracking, trackMany } = await deliveringTo(client.analytics)
    await trackMany(1)
    void tracking.flush({ timeout: 100 })
    client.act = ({ ...event }) => queueMicrotask(() => client.emit('track', { event }))
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.delivered === 5)
  })

  it('that emits nonsense, or of calls that nobody made, changes no outcome', async () => {
    const client = new Emitting()
    client.on('error', () => {})
    client.act = ({ ...event }) => {
      for (const told of [
        undefined,
        null,
        42,
        'x',
        {},
        { event: 1 },
        { ctx: {} },
        { event: { messageId: 'x' } },
      ]) {
        for (const name of ['track', 'error', 'http_request', 'http_response', 'dispatch_start']) {
          client.emit(name, told)
        }
      }
      client.emit('track', { event })
      client.emit('track', { event })
      client.emit('error', { ctx: { event }, reason: new Error('boom') })
    }
    const { tracking, trackMany } = await deliveringTo(client.analytics)
    await trackMany(5)
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ made: 5, delivered: 5, pending: 0 })
    expectBalance(tracking)
  })

  it('whose plugins cancel a call is not taken for an outage', async () => {
    const client = new Emitting()
    client.on('error', () => {})
    const act = vi.fn(({ ...event }) => {
      const reason = { retry: true, type: 'plugin Error', reason: 'Context Cancel' }
      queueMicrotask(() => client.emit('error', { code: 'delivery_failure', ctx: { event }, reason }))
    })
    client.act = act
    const { tracking, trackMany } = await deliveringTo(client.analytics)
    await trackMany(5)
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ pending: 0, failed: { cancelled: 5 } })
    expect(tracking.health().state).toBe('ok')
    expect(act).toHaveBeenCalledTimes(5)
  })
})
