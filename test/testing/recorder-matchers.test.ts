import { expect as jestExpect } from 'expect'
import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Tracker } from '../../src/index.js'
import {
  assertIdentified,
  assertNotTracked,
  assertTracked,
  type RecordedTracking,
  type RecordingConfig,
  recordTracking,
  type TrackingMatchers,
  trackingMatchers,
} from '../../src/testing/index.js'
import { visitor } from '../support/servers.js'

declare module 'expect' {
  // Declarations that merge need the same type parameters.
  interface Matchers<R extends void | Promise<void>, T> extends TrackingMatchers<R> {}
}

expect.extend(trackingMatchers)
jestExpect.extend(trackingMatchers)

const QUIET = { logger: { handler: () => {} } }

/** What one request of a visitor comes to. */
async function recordedOf(
  handle: (tracker: Tracker) => void,
  config?: RecordingConfig,
): Promise<RecordedTracking> {
  const recorded = recordTracking({ ...QUIET, ...config })
  onTestFinished(() => void recorded.shutdown({ timeout: 100 }))
  const app = express()
  app.use(expressTracking(recorded))
  app.get('/', (req, res) => {
    handle(req.tracker)
    res.send('ok')
  })
  await request(app).get('/').set(visitor('a1'))
  await recorded.settled()
  return recorded
}

const order = (tracker: Tracker) =>
  tracker.track('order complete', { id: 'A-1', total: 42, items: [{ id: 'P-1', price: 21 }, { id: 'P-2' }] })

function messageOf(assertion: () => void): string {
  try {
    assertion()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error('the assertion held')
}

describe('toHaveTracked()', () => {
  it('matches a part of the properties, asymmetric matchers included', async () => {
    const recorded = await recordedOf(order)
    expect(recorded).toHaveTracked('order complete')
    expect(recorded).toHaveTracked('order complete', { total: 42 })
    expect(recorded).toHaveTracked('order complete', {
      id: expect.stringMatching(/^A-/),
      items: [{ id: 'P-1' }, expect.objectContaining({ id: 'P-2' })],
    })
    expect(recorded).not.toHaveTracked('order refund')
    expect(recorded).not.toHaveTracked('order complete', { total: 41 })
    expect(recorded).not.toHaveTracked('order complete', { items: [{ id: 'P-1' }] })
    expect(recorded).not.toHaveTracked('order complete', { toString: expect.anything() })
    jestExpect(recorded).toHaveTracked('order complete', { total: jestExpect.any(Number) })
    jestExpect(recorded).not.toHaveTracked('order refund')
  })

  it('expects a Date as the text that the wire has', async () => {
    const at = new Date(1_700_000_000_000)
    const recorded = await recordedOf((tracker) => tracker.track('order ship', { at }))
    expect(recorded).toHaveTracked('order ship', { at })
    expect(recorded).not.toHaveTracked('order ship', { at: new Date(0) })
  })

  it('lists what was sent instead, with the differences, and what was dropped, and why', async () => {
    const recorded = await recordedOf(
      (tracker) => {
        order(tracker)
        tracker.track('product view', { id: 'P-1' }, { consent: { marketing: false } })
        tracker.track('walker wrong')
      },
      { consent: { analytics: true, marketing: true }, request: { consent: () => ({ analytics: true }) } },
    )
    const expected = { total: 41, coupon: 'X', items: [{ price: 20 }, {}] }
    const message = messageOf(() => expect(recorded).toHaveTracked('order complete', expected))
    expect(message).toBe(
      [
        'expected a call: track "order complete" with properties {"total":41,"coupon":"X","items":[{"price":20},{}]}',
        'sent:',
        '  track     order complete  anon=a1  {"id":"A-1","total":42,"items":[{"id":"P-1","price":21},{"id":"P-2"}]}',
        '    properties.total: expected 41, got 42',
        '    properties.coupon: expected "X", got nothing',
        '    properties.items[0].price: expected 20, got 21',
        '  track     product view  anon=a1  {"id":"P-1"}',
        'dropped:',
        '  "walker wrong" (invalid): its name is empty, longer than 255 characters or a walkerOS command, or a method was given what it cannot use. The error in the log says which.',
      ].join('\n'),
    )
    expect(messageOf(() => jestExpect(recorded).toHaveTracked('order complete', expected))).toBe(message)
    expect(messageOf(() => assertTracked(recorded, 'order complete', expected))).toBe(message)
  })

  it('says which consent was missing', async () => {
    const recorded = await recordedOf(order, {
      consent: { analytics: true, marketing: true },
      request: { consent: () => ({ functional: true, marketing: false }) },
    })
    expect(messageOf(() => expect(recorded).toHaveTracked('order complete'))).toBe(
      [
        'expected a call: track "order complete"',
        'sent: nothing',
        'dropped:',
        '  "order complete" (consent): `config.consent` needs analytics or marketing; ' +
          'this visitor has granted functional and refused marketing.',
      ].join('\n'),
    )
  })

  it('says what was sent although it should not have been', async () => {
    const recorded = await recordedOf(order)
    const message = messageOf(() => expect(recorded).not.toHaveTracked('order complete', { total: 42 }))
    expect(message).toContain('expected no call: track "order complete" with properties {"total":42}')
    expect(message).toContain('  track     order complete  anon=a1')
    expect(messageOf(() => assertNotTracked(recorded, 'order complete', { total: 42 }))).toBe(message)
    assertNotTracked(recorded, 'order refund')
  })

  it('lists calls that failed', async () => {
    const recorded = await recordedOf(order, { data: { fn: () => ({ text: 'x'.repeat(40_000) }) } })
    expect(messageOf(() => expect(recorded).toHaveTracked('order complete'))).toContain(
      'failed:\n  track (too-large): the call is larger than the 32 KB that Segment takes.',
    )
  })

  it('gives no answer before everything has settled, in either direction', async () => {
    const recorded = recordTracking()
    const app = express()
    app.use(expressTracking(recorded))
    app.get('/', (req, res) => {
      req.track('page view')
      for (const wanted of [
        () => expect(recorded).toHaveTracked('page view'),
        () => expect(recorded).not.toHaveTracked('page view'),
      ]) {
        expect(messageOf(wanted)).toContain(
          '1 events and 0 calls are still on their way: await recorded.settled()',
        )
      }
      res.send('ok')
    })
    await request(app).get('/').expect(200)
    await recorded.shutdown()
  })

  it('says what it was given where that cannot be right', async () => {
    const recorded = recordTracking()
    const anything = JSON.parse('7')
    expect(messageOf(() => expect([]).toHaveTracked('page view'))).toContain('expected what recordTracking()')
    expect(messageOf(() => expect(recorded).toHaveTracked(anything))).toContain("the event's name is 7")
  })

  it('escapes what could steer a terminal', async () => {
    const recorded = await recordedOf((tracker) => tracker.track('order \u001b[2J'))
    expect(messageOf(() => expect(recorded).toHaveTracked('order complete'))).not.toContain('\u001b')
  })
})

describe('toHaveIdentified()', () => {
  it('matches the user, the traits, or both', async () => {
    const recorded = await recordedOf((tracker) => tracker.identify('u-1', { plan: 'free', seats: 3 }))
    expect(recorded).toHaveIdentified()
    expect(recorded).toHaveIdentified('u-1')
    expect(recorded).toHaveIdentified('u-1', { plan: 'free' })
    expect(recorded).toHaveIdentified({ seats: expect.any(Number) })
    expect(recorded).not.toHaveIdentified('u-2')
    expect(recorded).not.toHaveIdentified({ plan: 'paid' })
    jestExpect(recorded).toHaveIdentified('u-1', { plan: 'free' })
    assertIdentified(recorded, 'u-1', { plan: 'free' })
    expect(messageOf(() => expect(recorded).toHaveIdentified('u-2', { plan: 'paid' }))).toBe(
      [
        'expected a call: identify "u-2" with traits {"plan":"paid"}',
        'sent:',
        '  identify  user=u-1 anon=a1  {"plan":"free","seats":3}',
        '    userId: expected "u-2", got "u-1"',
        '    traits.plan: expected "paid", got "free"',
      ].join('\n'),
    )
    expect(messageOf(() => assertIdentified(recorded, 'u-2', { plan: 'paid' }))).toContain('expected a call')
  })
})
