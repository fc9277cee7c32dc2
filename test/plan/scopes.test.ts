import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePlan } from '../../src/plan/index.js'
import { planning } from './planning.js'

const plan = definePlan({
  events: { 'order complete': z.object({ id: z.string(), total: z.number() }) },
  invalid: 'omit',
  unplanned: 'drop',
})
const wrong = { id: 'A', total: 'x' }

describe('outside of a request', () => {
  it('the events of a run are held to the plan, too', async () => {
    const { recorded } = await planning(plan)
    recorded.run({ user: { id: 'u-1' } }, ({ track }) => {
      track('order complete', wrong)
      track('order view')
    })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'order complete', properties: { id: 'A' } }])
    expect(recorded.violations.map(({ problem }) => problem)).toEqual(['total is a string', 'not planned'])
    expect(recorded.drops).toMatchObject([{ reason: 'plan' }])
  })

  it('and those of a sender that lives long', async () => {
    const { recorded } = await planning(plan)
    recorded.forSender({ user: { id: 'u-1' } }).track('order complete', wrong)
    await recorded.settled()
    expect(recorded.violations).toMatchObject([{ problem: 'total is a string', outcome: 'omitted' }])
  })
})

describe('an event that is looked at more than once', () => {
  it('is held to the plan once, and what was omitted stays so', async () => {
    let asked = 0
    const counting = definePlan({
      events: {
        'order complete': z.object({ total: z.number() }).superRefine(() => {
          asked++
        }),
      },
      invalid: 'omit',
    })
    const { recorded } = await planning(counting, { consent: { analytics: true } })
    await recorded.run({ user: { id: 'u-1' } }, async (tracker) => {
      tracker.track('order complete', { total: 1 })
      await tracker.flush()
      await tracker.flush()
      expect(recorded.calls).toEqual([])
      tracker.consent({ analytics: true })
    })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'order complete' }])
    expect(asked).toBe(1)
  })

  it('is told once', async () => {
    const { recorded } = await planning(plan, { consent: { analytics: true } })
    await recorded.run({ user: { id: 'u-1' } }, async (tracker) => {
      tracker.track('order complete', wrong)
      await tracker.flush()
      tracker.consent({ analytics: true })
      await tracker.flush()
    })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ properties: { id: 'A' } }])
    expect(recorded.calls[0]).not.toHaveProperty('properties.total')
    expect(recorded.violations).toHaveLength(1)
    expect(recorded.stats().violations).toEqual({ 'order complete': { 'total is a string': 1 } })
    expect(recorded.stats().events).toMatchObject({ tracked: 1, open: 0, dispatched: 1 })
  })
})
