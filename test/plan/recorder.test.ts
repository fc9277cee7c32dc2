import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Tracker } from '../../src/index.js'
import { definePlan, type Invalid } from '../../src/plan/index.js'
import {
  assertIdentified,
  assertKeptToThePlan,
  assertNotTracked,
  assertTracked,
  trackingMatchers,
} from '../../src/testing/index.js'
import { planning, tracked } from './planning.js'

expect.extend(trackingMatchers)

const MAPPING = { mapping: { order: { complete: { name: 'Order Completed' } } } }

function planOf(invalid: Invalid) {
  return definePlan({
    events: { 'order complete': z.object({ id: z.string(), total: z.number() }) },
    identify: z.object({ plan: z.string() }),
    invalid,
  })
}

function recordedOf(invalid: Invalid, handle: (tracker: Tracker) => void) {
  return tracked(planOf(invalid), handle, MAPPING)
}

const right = { id: 'A', total: 42 }
const wrong = { id: 'A', total: '42' }

/** What an expectation says where it does not hold. */
function messageOf(expectation: () => void): string {
  try {
    expectation()
  } catch (error) {
    return String(error)
  }
  throw new Error('it holds')
}

describe('a call of an event that is against the plan', () => {
  it.each<Invalid>(['report', 'omit'])(
    'with %s is told to be so, whatever framework asks',
    async (invalid) => {
      const recorded = await recordedOf(invalid, ({ track }) => track('order complete', wrong))
      const words = 'tracked, but against the plan: total is a string, expected a number'
      expect(messageOf(() => expect(recorded).toHaveTracked('Order Completed'))).toContain(words)
      expect(messageOf(() => expect(recorded).toHaveTracked('Order Completed', { id: 'A' }))).toContain(words)
      expect(messageOf(() => assertTracked(recorded, 'Order Completed'))).toContain(words)
      expect(recorded.calls).toHaveLength(1)
    },
  )

  it('was sent all the same, for who expects that it was not', async () => {
    const recorded = await recordedOf('report', ({ track }) => track('order complete', wrong))
    expect(messageOf(() => expect(recorded).not.toHaveTracked('Order Completed'))).toContain(
      'expected no call',
    )
    expect(messageOf(() => assertNotTracked(recorded, 'Order Completed'))).toContain('expected no call')
    expect(recorded).not.toHaveTracked('Order Refunded')
  })

  it('does not stand for one beside it that keeps to the plan', async () => {
    const recorded = await recordedOf('report', ({ track }) => {
      track('order complete', wrong)
      track('order complete', right)
    })
    expect(recorded).toHaveTracked('Order Completed')
    expect(recorded).toHaveTracked('Order Completed', { total: 42 })
    expect(() => expect(recorded).toHaveTracked('Order Completed', { total: '42' })).toThrow(
      'against the plan',
    )
  })

  it('can be an identify', async () => {
    const recorded = await recordedOf('omit', (tracker) => tracker.identify('u-1', { plan: 5, name: 'A' }))
    expect(() => expect(recorded).toHaveIdentified('u-1')).toThrow('plan is a number, expected a string')
    expect(() => assertIdentified(recorded, 'u-1')).toThrow('plan is a number')
    expect(() => expect(recorded).not.toHaveIdentified('u-1')).toThrow('expected no call')
  })

  it('may never have been made', async () => {
    const recorded = await recordedOf('drop', ({ track }) => track('order complete', wrong))
    const message = messageOf(() => expect(recorded).toHaveTracked('Order Completed'))
    expect(message).toContain('sent: nothing')
    expect(message).toContain('"order complete" (plan): it is not as the tracking plan says')
    expect(message).toContain('"order complete": total is a string, expected a number (dropped)')
    expect(recorded).not.toHaveTracked('Order Completed')
  })
})

describe('toKeepToThePlan()', () => {
  it('holds where all events do', async () => {
    const recorded = await recordedOf('report', ({ track }) => track('order complete', right))
    expect(recorded).toKeepToThePlan()
    assertKeptToThePlan(recorded)
    expect(messageOf(() => expect(recorded).not.toKeepToThePlan())).toContain(
      'expected something against the plan',
    )
  })

  it('lists what does not', async () => {
    const recorded = await recordedOf('report', ({ track }) => {
      track('order complete', wrong)
      track('order view')
    })
    expect(recorded).not.toKeepToThePlan()
    for (const message of [
      messageOf(() => expect(recorded).toKeepToThePlan()),
      messageOf(() => assertKeptToThePlan(recorded)),
    ]) {
      expect(message).toContain('expected nothing against the plan')
      expect(message).toContain('"order complete": total is a string, expected a number (reported)')
      expect(message).toContain('"order view": not planned (reported)')
    }
  })

  it('refuses to answer without a plan, or while something is on its way', async () => {
    const unplanned = await tracked(undefined, ({ track }) => track('a b'))
    expect(() => expect(unplanned).toKeepToThePlan()).toThrow('there is no plan to keep to')
    expect(() => expect(unplanned).not.toKeepToThePlan()).toThrow('there is no plan to keep to')
    expect(() => expect({}).toKeepToThePlan()).toThrow('expected what recordTracking() returns')
  })

  it('begins anew with clear()', async () => {
    const { recorded, visit } = await planning(planOf('report'), MAPPING)
    await visit(({ track }) => track('order complete', wrong))
    expect(recorded.violations).toHaveLength(1)
    recorded.clear()
    expect(recorded.violations).toEqual([])
    expect(recorded).toKeepToThePlan()
    await visit(({ track }) => track('order complete', right))
    expect(recorded).toHaveTracked('Order Completed')
    expect(recorded.stats().violations).toEqual({ 'order complete': { 'total is a string': 1 } })
  })
})
