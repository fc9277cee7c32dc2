import { AsyncLocalStorage } from 'node:async_hooks'
import express from 'express'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Carried, Sender, Tracker } from '../../src/index.js'
import { segmentCookie } from '../../src/index.js'
import { type RecordingConfig, recordTracking } from '../../src/testing/index.js'
import { type InRequest, requestsOf, serve, visitor } from '../support/servers.js'

async function recorded(config: RecordingConfig = {}) {
  const lines: string[] = []
  const errors: unknown[] = []
  const tracking = recordTracking({
    ...config,
    logger: { handler: (_level, message) => lines.push(message) },
    on: { error: (error) => errors.push(error) },
  })
  return { tracking, lines, errors, inRequest: await requestsOf(tracking) }
}

/** What a request's tracker carries, through JSON as a queue has it. */
async function carriedIn(
  inRequest: InRequest,
  headers: Record<string, string>,
  carry: (tracker: Tracker) => Carried | Promise<Carried> = (tracker) => tracker.carry(),
): Promise<Carried> {
  let carried: unknown
  await inRequest(async (tracker) => {
    carried = await carry(tracker)
  }, headers)
  return JSON.parse(JSON.stringify(carried))
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const browser = {
  ...visitor('a-1'),
  'user-agent': 'agent 7',
  'accept-language': 'de-DE',
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  referer: 'https://shop.example/cart?utm_source=mail&gclid=click-1',
  'sec-fetch-dest': 'empty',
}
const granting = (consent: Record<string, boolean>): RecordingConfig => ({
  request: { consent: () => consent, userId: () => 'u-1' },
})

describe('carry()', () => {
  it('takes identity, choices with their time, trace and context, as plain JSON', async () => {
    const { inRequest } = await recorded(granting({ analytics: true, marketing: false }))
    const before = Date.now()
    const carried = await carriedIn(inRequest, browser, (tracker) => {
      tracker.consent({ personalization: true })
      return tracker.carry()
    })
    expect(carried).toEqual({
      v: 1,
      at: expect.any(Number),
      userId: 'u-1',
      anonymousId: 'a-1',
      consent: { analytics: true, marketing: false, personalization: true },
      trace: TRACE,
      context: {
        ip: '127.0.0.1',
        userAgent: 'agent 7',
        locale: 'de-DE',
        page: expect.objectContaining({ path: '/cart' }),
        campaign: { source: 'mail' },
      },
    })
    expect(carried.at).toBeGreaterThanOrEqual(before)
    expect(carried.at).toBeLessThanOrEqual(Date.now())
  })

  it('leaves the context out on demand', async () => {
    const { inRequest } = await recorded(granting({}))
    expect(
      await carriedIn(inRequest, browser, (tracker) => tracker.carry({ context: false })),
    ).not.toHaveProperty('context')
  })

  it('holds no e-mail and no traits, whatever is known of the person', async () => {
    const { tracking, inRequest } = await recorded({
      request: { user: () => ({ email: 'ada@example.com' }), userId: () => 'u-1' },
    })
    const carried = await carriedIn(
      inRequest,
      { ...browser, referer: 'https://shop.example/ada@example.com' },
      (tracker) => {
        tracker.user({ id: 'u-1', email: 'ada@example.com', phone: 'phone-123' })
        tracker.identify({ email: 'ada@example.com' })
        return tracker.carry()
      },
    )
    const sender: Sender = {
      user: { id: 'u-1', email: 'ada@example.com' },
      context: { traits: { email: 'ada@example.com' }, ip: '203.0.113.7' },
    }
    const fromRun = tracking.run(sender, (tracker) => tracker.carry())
    expect(fromRun.context).toEqual({ ip: '203.0.113.7' })
    expect(JSON.stringify([carried, fromRun])).not.toMatch(/ada@|phone-123/)
  })

  it('carries click ids only with marketing granted, and the job sends them only if it still is', async () => {
    const refused = await recorded(granting({ marketing: false }))
    expect((await carriedIn(refused.inRequest, browser)).context).not.toHaveProperty('referrer')
    const { tracking, inRequest } = await recorded(granting({ marketing: true }))
    const carried = await carriedIn(inRequest, browser)
    expect(carried.context).toMatchObject({ referrer: { id: 'click-1' } })
    const track = (tracker: Tracker) => tracker.track('invoice send')
    tracking.resume(carried, track)
    tracking.resume(carried, track, { consent: { marketing: false } })
    tracking.resume({ ...carried, at: carried.at - 8 * 24 * 60 * 60 * 1_000 }, track)
    await tracking.settled()
    expect(tracking.calls.map(({ context }) => context?.referrer !== undefined)).toEqual([true, false, false])
  })

  it('gives a visitor without an id one, as track() does, so that both speak of the same visitor', async () => {
    const { tracking, inRequest } = await recorded({
      request: {
        anonymousId: segmentCookie({ create: { consent: 'functional' } }),
        consent: () => ({ functional: true }),
      },
    })
    const chrome = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36' }
    const carried = await carriedIn(inRequest, chrome, (tracker) => {
      const carried = tracker.carry()
      tracker.track('order complete')
      return carried
    })
    await tracking.settled()
    expect(carried.anonymousId).toMatch(/^[\da-f-]{36}$/)
    expect(tracking.calls).toMatchObject([{ anonymousId: carried.anonymousId }])
  })

  it('shares its trace with the events of its request', async () => {
    const { tracking, inRequest } = await recorded()
    const carried = await carriedIn(inRequest, visitor('a-1'), (tracker) => {
      tracker.track('order complete')
      return tracker.carry()
    })
    tracking.resume(carried, (tracker) => tracker.track('invoice send'))
    await tracking.settled()
    expect(tracking.events.map(({ source }) => source.trace)).toEqual([carried.trace, carried.trace])
  })

  it('works taken off its tracker, on any argument, and after the end', async () => {
    const { tracking, inRequest } = await recorded(granting({}))
    const kept: Tracker[] = []
    await inRequest((tracker) => {
      kept.push(tracker)
      const { carry } = tracker
      for (const options of [undefined, null, 'x', 42, [], { context: undefined }]) {
        expect(Reflect.apply(carry, undefined, [options])).toMatchObject({ v: 1, userId: 'u-1' })
      }
    }, browser)
    expect(kept[0]?.carry()).toMatchObject({ v: 1, userId: 'u-1', context: { ip: '127.0.0.1' } })
    await tracking.settled()
  })

  it('reads in the context of the code that calls it', async () => {
    const storage = new AsyncLocalStorage<string>()
    const tracking = recordTracking({
      request: { userId: () => storage.getStore(), consent: () => ({ known: storage.getStore() === 'u-1' }) },
    })
    const app = express()
    app.use(expressTracking(tracking))
    app.use((_req, _res, next) => storage.run('u-1', next))
    app.use(async (req, res) => {
      res.json([req.tracker.carry(), await req.tracker.carry({ wait: true })])
    })
    const { url } = await serve(app)
    const expected = { userId: 'u-1', consent: { known: true } }
    expect(await (await fetch(url)).json()).toMatchObject([expected, expected])
  })

  it('fails no handler: where a reader throws it carries the rest', async () => {
    const broken = (): never => {
      throw new Error('the database is away')
    }
    const { inRequest } = await recorded({
      request: { userId: broken, consent: [broken, () => ({ analytics: true })], user: broken },
    })
    expect(await carriedIn(inRequest, browser)).toMatchObject({
      anonymousId: 'a-1',
      consent: { analytics: true },
    })
  })
})

describe('carry() and asynchronous readers', () => {
  const asynchronous: RecordingConfig = {
    request: {
      userId: async () => 'u-1',
      consent: [() => ({ analytics: true, marketing: false }), async () => ({ personalization: true })],
    },
  }

  it('takes what is known without them, of the choices only refusals, and says once whom it did not wait for', async () => {
    const { inRequest, lines } = await recorded(asynchronous)
    for (let request = 0; request < 3; request++) {
      const carried = await carriedIn(inRequest, visitor('a-1'))
      expect(carried).toMatchObject({ anonymousId: 'a-1', consent: { marketing: false } })
      expect(carried).not.toHaveProperty('userId')
      expect(carried.consent).toEqual({ marketing: false })
    }
    expect(lines).toEqual([
      'carry() did not wait for the asynchronous reader of userId and consent: use await tracker.carry({ wait: true })',
    ])
  })

  it('asks them on demand: carry({ wait: true })', async () => {
    const { inRequest, lines } = await recorded(asynchronous)
    const carried = await carriedIn(inRequest, visitor('a-1'), (tracker) => tracker.carry({ wait: true }))
    expect(carried).toMatchObject({
      userId: 'u-1',
      anonymousId: 'a-1',
      consent: { analytics: true, marketing: false, personalization: true },
    })
    expect(lines).toEqual([])
  })

  it('never rejects, and does not wait for ever', async () => {
    const { inRequest } = await recorded({
      request: { userId: () => new Promise(() => {}), consent: () => Promise.reject(new Error('away')) },
    })
    const startedAt = performance.now()
    const carried = await carriedIn(inRequest, visitor('a-1'), (tracker) => tracker.carry({ wait: true }))
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    expect(carried).toMatchObject({ anonymousId: 'a-1', consent: {} })
  })

  it('are asked in a job, too: a consent function', async () => {
    const { tracking, lines } = await recorded()
    const sender: Sender = { user: { id: 'u-1' }, consent: async () => ({ analytics: true }) }
    const [known, waited] = await tracking.run(sender, async (tracker) => [
      tracker.carry(),
      await tracker.carry({ wait: true }),
    ])
    expect([known?.consent, waited?.consent]).toEqual([{}, { analytics: true }])
    expect(lines).toEqual([expect.stringContaining('reader of consent')])
  })
})

describe('how much is carried', () => {
  it('is at most 2 KB of any request, refusals and ids always', async () => {
    const long = 'x'.repeat(3_000)
    const consent = Object.fromEntries(
      Array.from({ length: 20 }, (_, key) => [`category-${key}`, key % 2 === 0]),
    )
    const { inRequest } = await recorded({ request: { consent: () => consent } })
    const requests = [
      {},
      { 'user-agent': long },
      { referer: `https://shop.example/${long}` },
      { referer: `https://shop.example/?utm_source=${long}&utm_campaign=${long}` },
      { 'user-agent': long, referer: `https://shop.example/${long}?utm_source=${long}` },
    ]
    for (const headers of requests) {
      const id = 'ä'.repeat(64)
      const carried = await carriedIn(
        inRequest,
        { ...browser, ...visitor(encodeURIComponent(id)), ...headers },
        (tracker) => tracker.carry(),
      )
      expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThanOrEqual(2_048)
      expect(carried).toMatchObject({ anonymousId: id, consent, context: { ip: '127.0.0.1' } })
    }
  })

  it('is at most 2 KB of any context that a job’s own sender has', async () => {
    const { tracking } = await recorded()
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 30 }), (context) => {
        const carried = tracking.run({ user: { id: 'u-1' }, context }, (tracker) => tracker.carry())
        expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThanOrEqual(2_048)
        expect(carried).toMatchObject({ v: 1, userId: 'u-1' })
      }),
      { numRuns: 50 },
    )
  })
})

describe('what was carried, carried on', () => {
  const DAY = 24 * 60 * 60 * 1_000

  async function aged(days: number) {
    const { tracking, inRequest } = await recorded(granting({ analytics: true, marketing: false }))
    const carried = await carriedIn(inRequest, browser)
    return { tracking, carried: { ...carried, at: carried.at - days * DAY } }
  }

  it('is the same person, with the same choices and context', async () => {
    const { tracking, carried } = await aged(0)
    expect(tracking.resume(carried, (tracker) => tracker.carry())).toEqual(carried)
  })

  it('keeps the age of its choices, however often', async () => {
    const { tracking, carried } = await aged(5)
    let again: Carried = carried
    for (let hop = 0; hop < 3; hop++) again = tracking.resume(again, (tracker) => tracker.carry())
    expect(again.at).toBe(carried.at)
    const later = { ...again, at: again.at - 3 * DAY }
    expect(tracking.resume(later, (tracker) => tracker.carry()).consent).toEqual({ marketing: false })
  })

  it('is as old as now where each grant was said anew', async () => {
    const { tracking, carried } = await aged(6)
    const before = Date.now()
    const atStart = tracking.resume(carried, (tracker) => tracker.carry(), { consent: { analytics: true } })
    const bySaying = tracking.resume(carried, (tracker) => {
      tracker.consent({ analytics: true })
      return tracker.carry()
    })
    const refusalsOnly = tracking.resume({ ...carried, at: carried.at - 30 * DAY }, (tracker) =>
      tracker.carry(),
    )
    for (const { at } of [atStart, bySaying, refusalsOnly]) expect(at).toBeGreaterThanOrEqual(before)
    expect(atStart.consent).toEqual({ analytics: true, marketing: false })
    expect(refusalsOnly.consent).toEqual({ marketing: false })
    const other = tracking.resume(carried, (tracker) => tracker.carry(), { consent: { marketing: true } })
    expect(other).toMatchObject({ at: carried.at, consent: { analytics: true, marketing: true } })
  })
})
