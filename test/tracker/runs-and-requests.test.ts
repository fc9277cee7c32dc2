import { setImmediate as nextTurn } from 'node:timers/promises'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Sender, Tracker } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

const ada: Sender = { user: { id: 'u-1' }, consent: { analytics: true } }

/** What has to come of an event: everything in it that belongs to the one person who tracked it. */
interface Seen {
  readonly event: unknown
  readonly who: unknown
  readonly consent: unknown
  readonly agent: unknown
  readonly trace: unknown
}

describe('10,000 interleaved runs and requests', () => {
  it('keep identity, consent, context and trace apart', async () => {
    const requests = 300
    const people = 10_000
    const traceOf = (person: number) => person.toString(16).padStart(32, 'a')
    const tracking = recordTracking({
      settings: { consent: { marketing: 'Advertising' } },
      request: { consent: ({ headers }) => ({ marketing: headers['x-consent'] === 'yes' }) },
      delivery: { maxPending: 100_000 },
    })
    /** Tracks on what is ambient, between which others have their turns. */
    const work = async (person: number) => {
      for (let step = 0; step < 3; step++) await nextTurn()
      tracking.current()?.track('step done', { person })
    }
    const app = express()
    app.use(expressTracking(tracking))
    app.get('/:person', async (req, res) => {
      const person = Number(req.params.person)
      // A run in the midst of a request is somebody else's.
      const other = person + requests
      await Promise.all([work(person), tracking.run(senderOf(other), () => work(other))])
      res.end()
    })
    const { url } = await serve(app)
    const senderOf = (person: number): Sender => ({
      user: { id: `u-${person}` },
      consent: person % 2 ? { marketing: person % 4 === 1 } : async () => ({ marketing: person % 4 === 0 }),
      context: { userAgent: `agent ${person}` },
      trace: traceOf(person),
    })
    const asked = Array.from({ length: requests }, (_, person) => person).map(async (person) => {
      const headers = {
        cookie: `ajs_anonymous_id=u-${person}`,
        'x-consent': consentOf(person) ? 'yes' : 'no',
        'user-agent': `agent ${person}`,
        traceparent: `00-${traceOf(person)}-b7ad6b7169203331-01`,
      }
      await (await fetch(`${url}/${person}`, { headers })).text()
    })
    const runs = Array.from({ length: people - 2 * requests }, (_, index) => index + 2 * requests)
    await Promise.all([...runs.map((person) => tracking.run(senderOf(person), () => work(person))), ...asked])
    await tracking.settled({ timeout: 15_000 })

    const traces = new Map(tracking.events.map(({ data, source }) => [data?.person, source.trace]))
    expect(tracking.calls).toHaveLength(people)
    for (const call of tracking.calls) {
      if (call.type !== 'track') throw new Error('nothing else was tracked')
      const person = Number(call.properties?.person)
      const seen: Seen = {
        event: call.event,
        who: call.userId ?? call.anonymousId,
        consent: call.context?.consent,
        agent: call.context?.userAgent,
        trace: traces.get(person),
      }
      const expected: Seen = {
        event: 'step done',
        who: `u-${person}`,
        consent: { categoryPreferences: { Advertising: consentOf(person) } },
        agent: `agent ${person}`,
        trace: traceOf(person),
      }
      if (JSON.stringify(seen) !== JSON.stringify(expected)) expect(seen).toEqual(expected)
    }
  })
})

function consentOf(person: number): boolean {
  return person % 2 ? person % 4 === 1 : person % 4 === 0
}

describe('a run in a request', () => {
  it('has a sender of its own, and leaves the request its', async () => {
    const tracking = recordTracking({ consent: { analytics: true } })
    const inRequest = await requestsOf(tracking)
    await inRequest(async (tracker) => {
      tracker.consent({ analytics: true })
      tracker.track('page view')
      await tracking.run({ user: { id: 'u-2' }, consent: {} }, async (inRun) => {
        inRun.track('invoice send')
        tracker.track('order complete')
        inRun.consent({ analytics: true })
      })
      await tracking.run({ user: { id: 'u-3' } }, async (inRun) => inRun.track('invoice send'))
    }, visitor('a-1'))
    await tracking.settled()
    expect(
      tracking.calls.map((call) => [call.userId ?? call.anonymousId, 'event' in call && call.event]),
    ).toEqual([
      ['u-2', 'invoice send'],
      ['a-1', 'page view'],
      ['a-1', 'order complete'],
    ])
    expect(tracking.drops).toMatchObject([{ reason: 'consent', event: { user: { id: 'u-3' } } }])
  })
})

describe('settled() of the test kit', () => {
  it('waits for open runs, and says so where one does not end', async () => {
    const tracking = recordTracking()
    let finish: () => void = () => {}
    const run = tracking.run(ada, async (tracker) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      tracker.track('report run')
    })
    await expect(tracking.settled({ timeout: 20 })).rejects.toThrow(
      'a request is still open, or a run or work',
    )
    const settled = tracking.settled()
    finish()
    await settled
    expect(tracking.calls).toHaveLength(1)
    await run
  })
})

describe('the shutdown', () => {
  it('waits for open runs and what they handed to waitUntil(), and delivers what they tracked', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { settings: { flushInterval: 60_000 } })
    let finish: () => void = () => {}
    let finishLater: () => void = () => {}
    const opened = tracking.run(ada, async (tracker) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      tracker.track('report run')
      tracker.waitUntil(
        new Promise<void>((resolve) => {
          finishLater = () => {
            tracker.track('report mail')
            resolve()
          }
        }),
      )
    })
    let isShutDown = false
    const shutdown = tracking.shutdown().finally(() => {
      isShutDown = true
    })
    await nextTurn()
    finish()
    await opened
    await nextTurn()
    expect(isShutDown).toBe(false)
    finishLater()
    expect(await shutdown).toMatchObject({ delivered: 2, dropped: 0, pending: 0, timedOut: false })
    expect(segment.calls).toMatchObject([{ event: 'report run' }, { event: 'report mail' }])
  })

  it('delivers what a run that does not end has tracked until then, and refuses the rest', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { dispatch: 'always', logger: { handler: () => {} } })
    let goOn: () => void = () => {}
    let tracker: Tracker | undefined
    const run = tracking.run(ada, async (own) => {
      tracker = own
      own.track('report begin')
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      own.track('report end')
    })
    // A quarter of the time is for the delivery, which includes loading the SDK.
    expect(await tracking.shutdown({ timeout: 4_000 })).toMatchObject({ delivered: 1, timedOut: true })
    goOn()
    await run
    tracker?.track('report late')
    expect(segment.calls).toMatchObject([{ event: 'report begin' }])
    expect(tracking.stats().events).toMatchObject({ tracked: 3, open: 0, dropped: { closed: 2 } })
  })
})
