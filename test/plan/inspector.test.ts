import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Tracker } from '../../src/index.js'
import { inspector } from '../../src/inspector/index.js'
import type { RequestSummary, RequestView } from '../../src/inspector/view.js'
import { definePlan, type Plan, segmentPlan } from '../../src/plan/index.js'
import { segmentServer, serve, trackingTo, visitor } from '../support/servers.js'
import { COMMON, ORDER } from './segment.js'

afterEach(() => void vi.unstubAllEnvs())

/** What the inspector shows of one request. */
async function shown(plan: Plan | undefined, handle: (tracker: Tracker) => void): Promise<RequestView> {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, {
    logger: { handler: () => {} },
    settings: { flushInterval: 20 },
    mapping: { order: { hide: { ignore: true } } },
    ...(plan && { plan }),
  })
  const app = express()
  app.use(expressTracking(tracking))
  app.use('/__reqtrack', inspector(tracking))
  app.get('/', (req, res) => {
    handle(req.tracker)
    res.send('ok')
  })
  const { url } = await serve(app)
  await (await fetch(url, { headers: visitor('a-1') })).text()
  const list = async (): Promise<RequestSummary[]> =>
    JSON.parse(await (await fetch(`${url}/__reqtrack/api/requests`)).text())
  await vi.waitFor(async () => expect(await list()).toHaveLength(1))
  await tracking.flush()
  const [request] = await list()
  return JSON.parse(await (await fetch(`${url}/__reqtrack/api/requests/${request?.number}`)).text())
}

const schema = z.object({
  id: z.string(),
  total: z.number(),
  items: z.array(z.object({ sku: z.string(), n: z.number().optional() })).optional(),
})

const wayOf = ({ events: [event] }: RequestView) =>
  event?.stages.slice(0, 4).map(({ name, state, note }) => [name, state, note])

describe('the step of the plan', () => {
  it('stands between Tracked and Consent', async () => {
    const plan = definePlan({ events: { 'order complete': schema } })
    const view = await shown(plan, ({ track }) => track('order complete', { id: 'A', total: 1 }))
    expect(wayOf(view)).toEqual([
      ['tracked', 'passed', ''],
      ['plan', 'passed', 'as planned'],
      ['consent', 'passed', 'not required'],
      ['mapping', 'passed', 'no rule'],
    ])
    expect(view.events[0]?.plan).toBeUndefined()
  })

  it('is not there without a plan', async () => {
    const view = await shown(undefined, ({ track }) => track('order complete'))
    expect(view.events[0]?.stages.map(({ name }) => name)).toEqual([
      'tracked',
      'consent',
      'mapping',
      'identity',
      'deduplication',
      'calls',
      'delivery',
    ])
  })

  it('shows the expected shape beside what came', async () => {
    const plan = definePlan({ events: { 'order complete': schema }, invalid: 'omit' })
    const given = { id: 'A', total: '42', items: [{ sku: 'x' }] }
    const view = await shown(plan, ({ track }) => track('order complete', given))
    expect(wayOf(view)?.[1]).toEqual(['plan', 'flagged', '1 violation, omitted'])
    const [event] = view.events
    expect(event?.state).toBe('delivered')
    expect(event?.plan).toEqual({
      violations: [{ path: 'total', problem: 'total is a string', expected: 'a number', outcome: 'omitted' }],
      expected: JSON.stringify(
        { id: 'a string', total: 'a number', 'items?': [{ sku: 'a string', 'n?': 'a number' }] },
        null,
        2,
      ),
      given: JSON.stringify(given, null, 2),
    })
    expect(event?.json).not.toContain('"42"')
  })

  it('ends the way of an event that the plan has dropped, and says so', async () => {
    const plan = definePlan({ events: { 'order complete': schema }, unplanned: 'drop', invalid: 'drop' })
    const view = await shown(plan, ({ track }) => {
      track('order complete', { id: 5 })
      track('order view', {})
    })
    expect(wayOf(view)).toEqual([
      ['tracked', 'passed', ''],
      ['plan', 'stopped', '2 violations, dropped'],
      ['consent', 'unreached', ''],
      ['mapping', 'unreached', ''],
    ])
    const [wrong, unknown] = view.events
    expect(wrong?.reason).toBe('dropped: plan. It is not as the tracking plan says, which has it dropped.')
    expect(unknown?.plan?.violations).toEqual([{ path: '', problem: 'not planned', outcome: 'dropped' }])
    expect(unknown?.plan?.given).toBeUndefined()
  })

  it('says what was not checked, and what stopped later', async () => {
    const plan = definePlan({ events: { 'order hide': z.object({}) } })
    const view = await shown(plan, (tracker) => {
      tracker.track('order hide', {})
      tracker.identify('u-1', {})
    })
    expect(wayOf(view)).toEqual([
      ['tracked', 'passed', ''],
      ['plan', 'passed', 'as planned'],
      ['consent', 'passed', ''],
      ['mapping', 'stopped', 'order hide'],
    ])
    expect(view.events[1]?.stages[1]).toMatchObject({ name: 'plan', note: 'not checked' })
  })

  it('puts the shapes of all rules together', async () => {
    const view = await shown(segmentPlan([ORDER, COMMON]), ({ track }) => track('Order Completed', {}))
    expect(JSON.parse(view.events[0]?.plan?.expected ?? '')).toEqual({
      tenant: 'one of "a", "b"',
      order_id: 'a string',
      'revenue?': 'a number or null',
      'ordered_at?': 'a string of the format date-time',
      items: [{ sku: 'a string' }],
    })
  })

  it('shows in development where the handler tracked it, and nowhere else', async () => {
    const plan = definePlan({ events: {}, identify: schema })
    function myHandler(tracker: Tracker): void {
      tracker.track('order view')
      tracker.identify('u-1', {})
    }
    vi.stubEnv('NODE_ENV', 'development')
    for (const event of (await shown(plan, myHandler)).events) {
      const [first = ''] = (event.plan?.stack ?? '').split('\n')
      expect(first).toContain('myHandler')
      expect(first).toContain('inspector.test.ts')
    }
    vi.stubEnv('NODE_ENV', 'test')
    expect((await shown(plan, myHandler)).events[0]?.plan?.stack).toBeUndefined()
  })
})
