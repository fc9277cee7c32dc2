import { createHook } from 'node:async_hooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { segmentServer, serve, trackingTo, visitor } from '../support/servers.js'
import { frameworks } from './frameworks.js'
import { Gate } from './gate.js'

/** Collects where timers are set, but for those of the test's own endpoint, until the test ends. */
function timersOfThePackage(): string[] {
  const set: string[] = []
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50
  const hook = createHook({
    init(_id, type) {
      if (type !== 'Timeout' && type !== 'Immediate') return
      const { stack = '' } = new Error('a timer is set')
      if (/\/src\/(?!testing\/)|@segment/.test(stack)) set.push(stack)
    },
  }).enable()
  onTestFinished(() => {
    hook.disable()
    Error.stackTraceLimit = stackTraceLimit
  })
  return set
}

describe.each(frameworks)('requests that are open in $name', ({ serve: create }) => {
  it.each([
    { events: 0, timers: 0 },
    // One looks at all of them, for responses that stay open.
    { events: 25, timers: 1 },
  ])('set $timers timers for 50 requests with $events events', async ({ events, timers: expected }) => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const gate = new Gate()
    let open = 0
    const count = () => {
      open++
      if (open === 50) gate.open('all are open')
    }
    const listener = await create(
      {
        async express({ res, track, gate }) {
          if (open < events) track()
          count()
          await gate.opened('answer')
          res.send('hello')
        },
        async koa({ ctx, track, gate }) {
          if (open < events) track()
          count()
          await gate.opened('answer')
          ctx.body = 'hello'
        },
        async fastify({ track, gate }) {
          if (open < events) track()
          count()
          await gate.opened('answer')
          return 'hello'
        },
        async hono({ c, track, gate }) {
          if (open < events) track()
          count()
          await gate.opened('answer')
          return c.text('hello')
        },
      },
      gate,
      tracking,
    )
    const { url } = await serve(listener)
    const timers = timersOfThePackage()
    const answers = Promise.all(Array.from({ length: 50 }, () => fetch(url, { headers: visitor('s1') })))
    await gate.opened('all are open')
    await new Promise(setImmediate)
    // The one that looks at the open requests of the whole process may be running since an earlier test.
    const ofTheProcess = timers.filter((stack) => stack.includes('open-watches'))
    expect(ofTheProcess.length).toBeLessThanOrEqual(1)
    expect(timers.length - ofTheProcess.length, timers.join('\n')).toBe(expected)
    expect(tracking.stats().events).toMatchObject({ tracked: events, open: events })

    gate.open('answer')
    await answers
    await tracking.flush()
    expect(segment.received).toBe(events)
    // This way the test would have seen one.
    if (events > 0) expect(timers.length).toBeGreaterThan(expected)
  })
})
