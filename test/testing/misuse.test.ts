import { describe, expect, it, onTestFinished } from 'vitest'
import * as testing from '../../src/testing/index.js'
import {
  createSegmentServer,
  type RecordedTracking,
  recordTracking,
  trackingMatchers,
} from '../../src/testing/index.js'
import { segmentServer } from '../support/servers.js'
import { exchange, postCalls, track } from './endpoint.js'

/** Calls a function with what its types do not allow. */
function misuse(fn: unknown, ...args: unknown[]): unknown {
  if (typeof fn !== 'function') throw new Error('there is no such function')
  return Reflect.apply(fn, undefined, args)
}

function recordingFor(): RecordedTracking {
  const recorded = recordTracking({ logger: { handler: () => {} } })
  onTestFinished(() => void recorded.shutdown({ timeout: 100 }))
  return recorded
}

describe('every function works taken off its object', () => {
  it('of the local endpoint', async () => {
    const server = await segmentServer()
    const { waitFor, respondWith, clear, stop, start, close } = server
    respondWith([{ status: 503 }])
    expect((await postCalls(server, [track('m')])).status).toBe(503)
    respondWith()
    const arriving = waitFor(1)
    expect((await postCalls(server, [track('m')])).status).toBe(200)
    expect(await arriving).toHaveLength(1)
    clear()
    expect(server.calls).toEqual([])
    await stop()
    await start()
    expect(await exchange(server)).toMatchObject({ status: 200 })
    await close()
  })

  it('of a recording', async () => {
    const recorded = recordingFor()
    const { settled, clear } = recorded
    await settled()
    clear()
    await settled({ timeout: 100 })
  })

  it('of the matchers', async () => {
    const { toHaveTracked, toHaveIdentified } = trackingMatchers
    const recorded = recordingFor()
    expect(toHaveTracked(recorded, 'Order Completed').pass).toBe(false)
    expect(toHaveIdentified(recorded).pass).toBe(false)
  })
})

describe('createSegmentServer()', () => {
  it.each<[unknown, RegExp]>([
    [8787, /createSegmentServer was given 8787; expected an object of options/],
    [null, /createSegmentServer was given null; expected an object of options/],
    [{ hots: '127.0.0.1' }, /createSegmentServer: unknown option hots, did you mean host\?/],
    [{ wrietKey: 'x' }, /unknown option wrietKey, did you mean writeKey\?/],
    [{ zoom: 1 }, /unknown option zoom; known are port, host, writeKey, path, record, onCall/],
    [{ port: '8787' }, /port is an integer from 0 to 65535; given "8787"/],
    [{ host: '0.0.0.0' }, /host can only be 127.0.0.1, ::1, localhost/],
    [{ path: 5 }, /path begins with a slash/],
    [{ path: 'v1' }, /path begins with a slash/],
    [{ writeKey: '' }, /writeKey is empty/],
    [{ writeKey: 5 }, /writeKey is number; expected a string/],
    [{ record: 'no' }, /record is "no"; expected true or false/],
    [{ onCall: 'log' }, /onCall is "log"; expected a function/],
  ])('refuses %j', async (options, message) => {
    const starting = misuse(createSegmentServer, options)
    await expect(starting).rejects.toThrow(message)
    await expect(starting).rejects.toBeInstanceOf(TypeError)
  })

  it.each<[unknown[], RegExp]>([
    [[], /waitFor: nothing is not a number of calls; give an integer from 0 on, or a predicate/],
    [['track'], /waitFor: "track" is not a number of calls/],
    [[1.5], /waitFor: 1.5 is not a number of calls/],
    [[1, { timeout: 100 }], /waitFor: timeout is \{"timeout":100\}; expected milliseconds from 0 on/],
    [[1, Number.NaN], /waitFor: timeout is NaN; expected milliseconds/],
    [[() => true, -1], /waitFor: timeout is -1; expected milliseconds/],
    [[() => true, '100'], /waitFor: timeout is "100"; expected milliseconds/],
  ])('waitFor refuses %j', async (args, message) => {
    const server = await segmentServer()
    const waiting = misuse(server.waitFor, ...args)
    await expect(waiting).rejects.toThrow(message)
    await expect(waiting).rejects.toBeInstanceOf(TypeError)
  })

  it.each<[unknown, RegExp]>([
    [null, /respondWith: a fault is an object such as \{ status: 503 \}, or 'ok'; given null/],
    [503, /given 503/],
    [[{ status: 503 }, '503'], /given "503"/],
    [[[{ status: 503 }]], /given \[\{"status":503\}\]/],
    [{ stauts: 503 }, /stauts is unknown; a fault has status/],
  ])('respondWith refuses %j', async (script, message) => {
    const server = await segmentServer()
    expect(() => misuse(server.respondWith, script)).toThrow(message)
    expect(() => misuse(server.respondWith, script)).toThrow(TypeError)
  })
})

describe('recordTracking()', () => {
  it.each<[unknown, RegExp]>([
    [null, /recordTracking was given null; expected the config of createTracking/],
    ['test', /recordTracking was given "test"; expected the config/],
    [{ settings: 'test' }, /settings/],
    [{ settings: null }, /settings/],
    [{ on: null }, /on/],
    [{ on: { dropped: 'no' } }, /on\.dropped/],
    [{ env: 5 }, /env/],
    [{ maping: {} }, /maping/],
  ])('refuses %j', (config, message) => {
    expect(() => misuse(recordTracking, config)).toThrow(message)
  })

  it.each([[''], [undefined]])('needs no write key: %j', async (writeKey) => {
    const recorded = recordTracking({ settings: { writeKey } })
    recorded.segment.track({ userId: 'u-1', event: 'Order Completed' })
    await recorded.segment.flush()
    expect(recorded.calls).toHaveLength(1)
    await recorded.shutdown()
  })

  it('refuses a tracking in the place of a config', () => {
    expect(() => misuse(recordTracking, recordingFor())).toThrow(
      /recordTracking was given a tracking; expected the config of createTracking, which makes one/,
    )
  })

  it.each<[unknown, RegExp]>([
    [100, /settled was given 100; expected an object of options/],
    [null, /settled was given null/],
    [{ timeout: '100' }, /settled: timeout is "100"; expected milliseconds from 0 on/],
    [{ timeout: Number.NaN }, /settled: timeout is NaN/],
    [{ timeout: -1 }, /settled: timeout is -1/],
  ])('settled refuses %j', async (options, message) => {
    const { settled } = recordingFor()
    await expect(misuse(settled, options)).rejects.toThrow(message)
  })
})

describe('expectations', () => {
  const { assertTracked, assertNotTracked, assertIdentified } = testing
  const tracked = [assertTracked, assertNotTracked, trackingMatchers.toHaveTracked]
  const identified = [assertIdentified, trackingMatchers.toHaveIdentified]

  it.each<[unknown]>([[undefined], [null], [{}], [[]], ['recorded'], [Promise.resolve()]])(
    'refuse %j in the place of a recording',
    (given) => {
      for (const fn of tracked)
        expect(() => misuse(fn, given, 'a')).toThrow(/expected what recordTracking\(\) returns/)
      for (const fn of identified)
        expect(() => misuse(fn, given)).toThrow(/expected what recordTracking\(\) returns/)
    },
  )

  it.each<[unknown[], RegExp]>([
    [[], /the event's name is nothing; expected a string/],
    [[42], /the event's name is 42/],
    [['order complete', 42], /properties are 42; expected an object/],
    [['order complete', null], /properties are null; expected an object/],
    [['order complete', ['total']], /properties are \["total"\]; expected an object/],
    [['order complete', 'total'], /properties are "total"; expected an object/],
  ])('of events refuse %j: a wrong one would hold for nothing, or for everything', (args, message) => {
    const recorded = recordingFor()
    for (const fn of tracked) expect(() => misuse(fn, recorded, ...args)).toThrow(message)
  })

  it.each<[unknown[], RegExp]>([
    [[null], /userId is null; expected a string or a number/],
    [[true], /userId is true/],
    [[['u-1']], /userId is \["u-1"\]/],
    [['u-1', 'free'], /traits are "free"; expected an object/],
    [['u-1', null], /traits are null; expected an object/],
    [[{ id: 'u-1' }, { plan: 'free' }], /userId is \{"id":"u-1"\}; expected a string or a number/],
  ])('of people refuse %j', (args, message) => {
    const recorded = recordingFor()
    for (const fn of identified) expect(() => misuse(fn, recorded, ...args)).toThrow(message)
  })

  it('take asymmetric matchers for ids, properties and traits', async () => {
    const recorded = recordingFor()
    recorded.segment.identify({ userId: 'u-1', traits: { plan: 'free' } })
    recorded.segment.track({ userId: 'u-1', event: 'Order Completed', properties: { total: 42 } })
    await recorded.segment.flush()
    const { toHaveTracked, toHaveIdentified } = trackingMatchers
    expect(toHaveTracked(recorded, 'Order Completed', expect.objectContaining({ total: 42 })).pass).toBe(true)
    expect(toHaveTracked(recorded, 'Order Completed', expect.objectContaining({ total: 41 })).pass).toBe(
      false,
    )
    expect(toHaveIdentified(recorded, expect.any(String), { plan: 'free' }).pass).toBe(true)
    expect(toHaveIdentified(recorded, expect.any(String), { plan: 'team' }).pass).toBe(false)
    expect(toHaveIdentified(recorded, expect.stringMatching(/^v-/), { plan: 'free' }).pass).toBe(false)
    expect(toHaveIdentified(recorded, expect.objectContaining({ plan: 'free' })).pass).toBe(true)
    expect(toHaveIdentified(recorded, expect.objectContaining({ plan: 'team' })).pass).toBe(false)
  })
})

describe('formatCall()', () => {
  it.each<[unknown]>([[undefined], [null], ['track'], [{}], [{ type: 5 }], [[]]])('refuses %j', (call) => {
    expect(() => misuse(testing.formatCall, call)).toThrow(
      /formatCall was given .*; expected a call such as those in server\.calls/,
    )
  })

  it('takes what the wire may have, whatever is missing', () => {
    expect(misuse(testing.formatCall, { type: 'track' })).toMatch(/^track *$/)
    expect(misuse(testing.formatCall, { type: 'group', traits: null })).toMatch(/^group *$/)
    expect(misuse(testing.formatCall, { type: 'other', event: 5 })).toMatch(/^other *$/)
  })
})
