import { EventEmitter, once } from 'node:events'
import type { WalkerOS } from '@walkeros/core'
import { describe, expect, it } from 'vitest'
import {
  consentCookie,
  type DroppedEvent,
  globalPrivacyControl,
  type Reader,
  type RequestOptions,
} from '../../src/index.js'
import { type Answer, browser, type Framework, frameworks, type Handle, site } from './site.js'

const UPDATED = 'Segment Consent Preference Updated'

/** What the visit of somebody brings along, with the choice that their browser has stored. */
function stored(choice: object) {
  return {
    ...browser,
    cookie: `ajs_anonymous_id=a1; choice=${encodeURIComponent(JSON.stringify(choice))}`,
    referer: 'https://search.example/',
    'accept-language': 'fr',
  }
}

const settings = { consent: { analytics: 'Analytics', marketing: 'Advertising' } }

/** A site whose handler says what a test tells it to. */
function choosing(framework: Framework, handle: Handle, request: RequestOptions = {}) {
  return site(
    framework,
    {
      // Nothing of what visitors do here is sent without it.
      consent: { analytics: true },
      settings: { ...settings, context: { map: { app: { value: 'shop' } } }, integrations: { All: true } },
      request: { consentUpdates: true, consent: consentCookie('choice'), ...request },
    },
    handle,
  )
}

function says(...choices: Record<string, boolean>[]): Handle {
  return ({ tracker, send }) => {
    for (const choice of choices) tracker.consent(choice)
    send('text/plain', 'ok')
  }
}

function updatesIn({ calls }: Answer) {
  return calls.filter((call) => call.type === 'track' && call.event === UPDATED)
}

describe.each(frameworks)('in $name, consentUpdates', (framework) => {
  it('tells Segment a choice that changed, and nothing else', async () => {
    const { visit, tracking } = await choosing(framework, (given) => {
      given.signIn({ id: 7, email: 'ada@example.com' })
      return says({ marketing: false })(given)
    })
    const { calls } = await visit('/choose?utm_source=mail', stored({ analytics: false, marketing: true }))
    expect(calls).toHaveLength(1)
    const [{ context, messageId, timestamp, ...rest } = {}] = calls
    expect(rest).toEqual({
      type: 'track',
      event: UPDATED,
      userId: '7',
      anonymousId: 'a1',
      properties: {},
      integrations: { All: true },
      _metadata: expect.anything(),
    })
    const { library: _, ...said } = { ...context }
    expect(said).toEqual({ consent: { categoryPreferences: { Analytics: false, Advertising: false } } })
    expect(tracking.stats().events).toMatchObject({ tracked: 1, dispatched: 1 })
  })

  it.each([
    ['a grant', { analytics: false }, [{ analytics: true }], 1],
    ['a refusal', { analytics: true }, [{ analytics: false }], 1],
    ['a first refusal', {}, [{ marketing: false }], 1],
    ['a first grant', {}, [{ marketing: true }], 1],
    ['what was stored already', { analytics: true, marketing: false }, [{ analytics: true }], 0],
    ['a change and back', { analytics: true }, [{ analytics: false }, { analytics: true }], 0],
    ['one of several', { analytics: true }, [{ analytics: true, marketing: true }], 1],
    ['several changes', {}, [{ analytics: true }, { marketing: true }, { marketing: false }], 1],
    ['a choice that Segment is not told of', {}, [{ functional: true }], 0],
    ['nothing', { analytics: true }, [{}], 0],
    ['no choice', { analytics: true }, [], 0],
  ] as [string, object, Record<string, boolean>[], number][])(
    'tells %s as often as it should',
    async (_, before, choices, updates) => {
      const { visit } = await choosing(framework, says(...choices))
      const answer = await visit('/', stored(before))
      expect(updatesIn(answer)).toHaveLength(updates)
      expect(answer.calls).toHaveLength(updates)
    },
  )

  it('has the state of the whole request, whatever was tracked with it', async () => {
    const { visit } = await choosing(framework, (given) => {
      given.tracker.track('page read')
      given.tracker.consent({ analytics: true })
      given.tracker.track('item seen')
      given.send('text/plain', 'ok')
    })
    const { calls } = await visit('/', stored({ marketing: true }))
    expect(calls).toMatchObject([{ event: 'page read' }, { event: 'item seen' }, { event: UPDATED }])
    for (const { context } of calls) {
      expect(context?.consent).toEqual({ categoryPreferences: { Analytics: true, Advertising: true } })
    }
  })

  it('compares with what all readers say, opt-outs and slow ones included', async () => {
    const { visit } = await choosing(framework, says({ marketing: false }), {
      consent: [async () => ({ marketing: true }), globalPrivacyControl()],
    })
    expect(updatesIn(await visit('/', stored({})))).toHaveLength(1)
    expect(updatesIn(await visit('/', { ...stored({}), 'sec-gpc': '1' }))).toEqual([])
  })

  it.each([
    ['at once', []],
    ['where readers take their time', [async () => ({})]],
  ] as [string, Reader<WalkerOS.Consent>[]][])(
    'tells a choice that is made after the response, if it is another than was told: %s',
    async (_, slow) => {
      const tell = new EventEmitter()
      const { visit, tracking, segment } = await choosing(
        framework,
        ({ tracker, send }) => {
          tracker.consent({ analytics: false })
          const work = once(tell, 'answered').then(async () => {
            for (const [key, granted] of Object.entries({
              analytics: false,
              functional: true,
              marketing: true,
            })) {
              tracker.consent({ [key]: granted })
              await tracking.flush()
            }
          })
          tracker.waitUntil(work)
          send('text/plain', 'ok')
        },
        { consent: [consentCookie('choice'), ...slow] },
      )
      const preferences = ({ calls }: Pick<Answer, 'calls'>) => calls.map((call) => call.context?.consent)
      const answer = await visit('/', stored({ analytics: true, marketing: false }))
      expect(preferences(answer)).toEqual([{ categoryPreferences: { Analytics: false, Advertising: false } }])
      tell.emit('answered')
      await tracking.shutdown()
      expect(preferences(segment).slice(1)).toEqual([
        { categoryPreferences: { Analytics: false, Advertising: true } },
      ])
      expect(tracking.stats().events).toMatchObject({ tracked: 2, dispatched: 2 })
    },
  )

  it('is off by default, and without categories', async () => {
    const request = { consent: consentCookie('choice') }
    const silent = [
      await site(framework, { settings, request }, says({ marketing: true })),
      await site(framework, { request: { ...request, consentUpdates: true } }, says({ marketing: true })),
    ]
    for (const { visit } of silent) expect((await visit('/', stored({}))).calls).toEqual([])
  })

  it('is dropped where it is nobody’s', async () => {
    const drops: DroppedEvent[] = []
    const { visit } = await site(
      framework,
      { settings, request: { consentUpdates: true }, on: { dropped: (dropped) => drops.push(dropped) } },
      says({ marketing: true }),
    )
    expect((await visit('/', browser)).calls).toEqual([])
    expect(drops).toMatchObject([{ reason: 'identity' }])
  })
})
