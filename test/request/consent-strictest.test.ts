import type { WalkerOS } from '@walkeros/core'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  consentHeader,
  cookieFirst,
  globalPrivacyControl,
  gpp,
  oneTrust,
  type Reader,
  strictest,
  usPrivacy,
} from '../../src/index.js'
import { isRecord } from '../../src/model/values.js'
import { json } from './consent-formats.js'
import { requestWith } from './consent-request.js'
import { frameworks, site } from './site.js'

type Consent = WalkerOS.Consent | undefined

const request = requestWith('')
const says =
  (consent: Consent): Reader<WalkerOS.Consent> =>
  () =>
    consent
const later =
  (consent: Consent): Reader<WalkerOS.Consent> =>
  async () =>
    consent
const slow: Reader<WalkerOS.Consent> = () => new Promise(() => undefined)
const throwing: Reader<WalkerOS.Consent> = () => {
  throw new Error('broken')
}
const rejecting: Reader<WalkerOS.Consent> = async () => {
  throw new Error('broken later')
}

afterEach(() => {
  vi.useRealTimers()
})

describe('strictest', () => {
  const state = fc.option(
    fc.dictionary(fc.constantFrom('functional', 'analytics', 'marketing'), fc.boolean()),
    { nil: undefined },
  )

  test('refuses what one refuses, and grants what one grants and none refuses', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 4 }), (states) => {
        const consent: Record<string, boolean> = {}
        for (const given of states) {
          for (const [key, granted] of Object.entries(given ?? {}))
            consent[key] = granted && consent[key] !== false
        }
        const expected = Object.keys(consent).length > 0 ? consent : undefined
        expect(strictest(...states.map(says))(request)).toEqual(expected)
      }),
    )
  })

  test('is called by its name, and waits only if a reader does', async () => {
    expect(strictest(oneTrust()).name).toBe('strictest')
    expect(strictest(says({ analytics: true }))(request)).toEqual({ analytics: true })
    const waiting = strictest(
      says({ analytics: true }),
      later({ marketing: false, analytics: false }),
    )(request)
    expect(waiting).toBeInstanceOf(Promise)
    expect(await waiting).toEqual({ analytics: false, marketing: false })
  })

  test('can be nested', async () => {
    const inner = strictest(says({ analytics: true, marketing: true }), later({ marketing: false }))
    expect(await strictest(says({ analytics: true }), inner)(request)).toEqual({
      analytics: true,
      marketing: false,
    })
  })

  test.each([
    ['throws', throwing],
    ['rejects', rejecting],
  ])('keeps refusals and grants nothing where a reader %s', async (_, broken) => {
    const reader = strictest(says({ analytics: true }), broken, says({ marketing: false }))
    expect(await reader(request)).toEqual({ marketing: false })
    expect(await strictest(says({ analytics: true }), broken)(request)).toBeUndefined()
  })

  test('keeps refusals and grants nothing where a reader takes too long', async () => {
    const askedAt = performance.now()
    const answer = strictest(says({ analytics: true }), slow, later({ marketing: false }))(request)
    expect(await answer).toEqual({ marketing: false })
    expect(performance.now() - askedAt).toBeGreaterThan(1_500)
  })

  test('takes only choices', () => {
    // @ts-expect-error: readers in JavaScript may give anything.
    const reader = strictest(says({ analytics: true, marketing: 'false' }), says('granted'), says(null))
    expect(reader(request)).toEqual({ analytics: true })
  })

  test('leaves the built-in readers what they are', () => {
    const cookie = `cookiefirst-consent=${json({ necessary: true, performance: true, advertising: true })}`
    const both = strictest(cookieFirst(), gpp())
    expect(both(requestWith(cookie))).toEqual({ functional: true, analytics: true, marketing: true })
    expect(both(requestWith(`${cookie}; gpp=DBABLA~BVQVAAAAAAGA.YA`))).toEqual({
      functional: true,
      analytics: true,
      marketing: false,
    })
  })
})

describe.each(frameworks)('in $name, strictest', (framework) => {
  const first = consentHeader('x-first')
  const second = consentHeader('x-second')
  const granted = JSON.stringify({ analytics: true, marketing: true })
  const refused = JSON.stringify({ marketing: false })

  async function preferences(
    consent: Reader<WalkerOS.Consent>[] | Reader<WalkerOS.Consent>,
    headers: Record<string, string>,
  ) {
    const errors: unknown[] = []
    const { visit } = await site(
      framework,
      {
        settings: { consent: { analytics: 'A', marketing: 'M' } },
        request: { consent },
        on: { error: (error) => errors.push(error) },
      },
      ({ tracker, send }) => {
        tracker.track('page read')
        send('text/plain', 'ok')
      },
    )
    const { calls } = await visit('/', { cookie: 'ajs_anonymous_id=v-1', ...headers })
    const sent = calls.map(({ context }) => isRecord(context?.consent) && context.consent.categoryPreferences)
    return { sent, errors }
  }

  test('lets no later grant over an earlier refusal, as a list does', async () => {
    const headers = { 'x-first': refused, 'x-second': granted }
    expect((await preferences([first, second], headers)).sent).toEqual([{ A: true, M: true }])
    expect((await preferences(strictest(first, second), headers)).sent).toEqual([{ A: true, M: false }])
    expect((await preferences(strictest(second, first), headers)).sent).toEqual([{ A: true, M: false }])
  })

  test.each([
    ['in it', [strictest(first, globalPrivacyControl()), second]],
    ['alone in it', [strictest(globalPrivacyControl(), usPrivacy()), first]],
    ['deep in it', [strictest(first, strictest(globalPrivacyControl(), second)), second]],
  ])('leaves opt-outs the last word, %s', async (_, consent) => {
    const headers = { 'x-first': granted, 'x-second': granted, 'sec-gpc': '1' }
    expect((await preferences(consent, headers)).sent).toEqual([{ A: true, M: false }])
  })

  test('tells of a reader that failed, and keeps what the others refused', async () => {
    const broken: Reader<WalkerOS.Consent> = function brokenReader() {
      throw new Error('broken')
    }
    const headers = { 'x-first': granted, 'x-second': refused }
    const { sent, errors } = await preferences([first, strictest(broken, second)], headers)
    expect(sent).toEqual([{ A: true, M: false }])
    expect(errors.map(String)).toEqual(['Error: broken'])
  })
})
