import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  adobe,
  axeptio,
  borlabs,
  type ConsentReader,
  c15t,
  civic,
  complianz,
  consentCookie,
  consentHeader,
  cookiebot,
  cookieFirst,
  cookieHub,
  cookieInformation,
  cookieLawInfo,
  cookieNotice,
  cookieScript,
  cookieYes,
  didomi,
  drupalEuCookieCompliance,
  evidon,
  fides,
  globalPrivacyControl,
  googleFundingChoices,
  gpp,
  hubSpot,
  isOptOut,
  iubenda,
  ketch,
  klaro,
  mooveGdpr,
  oneTrust,
  orejime,
  osanoCookieConsent,
  piwikPro,
  reactCookieConsent,
  realCookieBanner,
  securiti,
  segmentConsentManager,
  tarteaucitron,
  tcf,
  tealium,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
  wix,
  wpConsentApi,
} from '../../src/request/consent/index.js'
import { categoriesOf, formats } from './consent-formats.js'
import { requestWith } from './consent-request.js'

const categories = { a: 'analytics', b: 'marketing', __proto__x: 'marketing' }
const options = { explicitOnly: false }

/** Every reader, as lenient as it can be set. */
const readers: readonly ConsentReader[] = [
  oneTrust(options),
  cookiebot(options),
  cookieYes(options),
  cookieLawInfo(options),
  complianz(options),
  trustArc(options),
  iubenda(options),
  didomi(options),
  cookieFirst(options),
  cookieInformation(options),
  civic(options),
  borlabs(options),
  cookieScript(options),
  ketch(options),
  klaro({ ...options, categories }),
  axeptio({ ...options, categories }),
  tarteaucitron({ ...options, categories }),
  vanillaCookieConsent(options),
  tcf(options),
  adobe(options),
  c15t(options),
  cookieHub(options),
  cookieNotice(options),
  drupalEuCookieCompliance(options),
  evidon(options),
  fides(options),
  googleFundingChoices(options),
  hubSpot(options),
  mooveGdpr(options),
  orejime({ ...options, categories }),
  osanoCookieConsent(options),
  piwikPro(options),
  reactCookieConsent({ ...options, categories }),
  realCookieBanner({ ...options, categories }),
  securiti({ ...options, categories }),
  segmentConsentManager(options),
  tealium(options),
  wix(options),
  wpConsentApi(options),
  gpp(),
  usPrivacy(),
  globalPrivacyControl(),
  consentHeader('x-consent'),
  consentHeader('x-consent', { categories }),
  consentCookie('mirror'),
  consentCookie('mirror', { categories }),
]

/** Every cookie that a reader looks into. */
const cookieNames = [
  'OptanonConsent',
  'OptanonAlertBoxClosed',
  'CookieConsent',
  'cookieyes-consent',
  'CookieLawInfoConsent',
  'cookielawinfo-checkbox-analytics',
  'viewed_cookie_policy',
  'cmplz_statistics',
  'cmplz_banner-status',
  'notice_preferences',
  'notice_gdpr_prefs',
  'cmapi_cookie_privacy',
  '_iub_cs-1',
  'didomi_token',
  'euconsent-v2',
  'cookiefirst-consent',
  'CookieInformationConsent',
  'CookieControl',
  'borlabs-cookie',
  'CookieScriptConsent',
  '_ketch_consent_v1_',
  '_swb_consent_',
  'klaro',
  'axeptio_cookies',
  'tarteaucitron',
  'cc_cookie',
  'tracking-preferences',
  'cookieconsent_status',
  'c15t',
  'eu-consent',
  '__hs_cookie_cat_pref',
  'CONSENTMGR',
  'FCCDCF',
  'cookiehub',
  'fides_consent',
  'ppms_privacy_1',
  'moove_gdpr_popup',
  'cookie_notice_accepted',
  'wp_consent_marketing',
  'real_cookie_banner-v:3_blog:1_path:a',
  'cookie-agreed',
  'cookie-agreed-categories',
  '_evidon_consent_cookie',
  '__privaci_cookie_consents',
  'kndctr_A_AdobeOrg_consent',
  'consent-policy',
  'gpp',
  'OTGPPConsent',
  'usprivacy',
  'mirror',
]

const prototypeBefore = Object.getOwnPropertyNames(Object.prototype).toSorted()

function expectSound(reader: ConsentReader, consent: unknown): void {
  expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(prototypeBefore)
  if (consent === undefined) return
  expect(Object.getPrototypeOf(consent)).toBe(Object.prototype)
  const values = Object.values(Object(consent))
  expect(values.length).toBeGreaterThan(0)
  expect(values.every((value) => typeof value === 'boolean')).toBe(true)
  if (isOptOut(reader)) expect(values).not.toContain(true)
}

/** Values with nothing of a format in them, and values with much of one. */
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
  fc.json(),
  fc.json().map(encodeURIComponent),
  fc.json().map((text) => Buffer.from(text).toString('base64')),
  fc.base64String(),
  fc.stringMatching(/^[%0-9A-Fa-f{}:,'!=.~|&+"[\]-]{0,80}$/),
  fc.stringMatching(/^(groups|permit|__proto__|constructor|true|false|action|yes|[:,=&!{}'% 1-9]){0,30}$/),
)

describe('arbitrary cookies and headers', () => {
  test('are never thrown at, and give booleans or nothing', () => {
    const cookies = fc.dictionary(fc.oneof(fc.constantFrom(...cookieNames), fc.string()), value)
    fc.assert(
      fc.property(cookies, value, value, (given, header, gpc) => {
        const request = {
          ...requestWith('', { 'x-consent': header, 'sec-gpc': gpc }),
          cookies: new Map(Object.entries(given)),
        }
        for (const reader of readers) expectSound(reader, reader(request))
      }),
      { numRuns: 2_000 },
    )
  })

  test('that begin as a record and end as something else are never thrown at', () => {
    const written = fc
      .constantFrom(...formats)
      .chain((format) =>
        fc
          .array(fc.boolean(), { minLength: 12, maxLength: 12 })
          .map((answers) =>
            format.write(new Map(categoriesOf(format).map((id, at) => [id, answers[at] === true]))),
          ),
      )
    fc.assert(
      fc.property(
        written,
        fc.nat(400),
        fc.nat(40),
        fc.string({ maxLength: 8 }),
        (cookie, at, length, instead) => {
          const changed = cookie.slice(0, at) + instead + cookie.slice(at + length)
          const request = requestWith(changed)
          for (const reader of readers) expectSound(reader, reader(request))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('grant nothing that is not in them, whatever is written into a refusal', () => {
    // No word or digit with which any of the formats affirms can be made of these characters.
    const silent = fc.string({ unit: fc.constantFrom(...'{}[]:,"\'%&=!~.|_ gropsalseno-'), maxLength: 40 })
    const refusing = formats.map((format) => ({
      reader: format.reader({ explicitOnly: false }),
      refusal: format.write(new Map(categoriesOf(format).map((category) => [category, false]))),
    }))
    fc.assert(
      fc.property(fc.constantFrom(...refusing), fc.nat(600), silent, ({ reader, refusal }, at, inserted) => {
        const cookie = refusal.slice(0, at) + inserted + refusal.slice(at)
        const { functional: _, ...consent } = reader(requestWith(cookie)) ?? {}
        expect(Object.values(consent)).not.toContain(true)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('a cookie that is cut off', () => {
  const answers = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 })

  test.each(formats)('grants nothing that the whole one of $name does not', (format) => {
    const reader = format.reader()
    fc.assert(
      fc.property(answers, fc.nat(1_000), (given, part) => {
        const cookie = format.write(new Map(categoriesOf(format).map((id, at) => [id, given[at] === true])))
        const whole = reader(requestWith(cookie)) ?? {}
        for (const [key, granted] of Object.entries(
          reader(requestWith(cookie.slice(0, (part * cookie.length) / 1_000))) ?? {},
        )) {
          if (granted) expect(whole[key]).toBe(true)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('16 KB of input', () => {
  const full = (part: string, length = 4_000) => part.repeat(Math.ceil(length / part.length)).slice(0, length)
  const nested = Buffer.from('['.repeat(2_900)).toString('base64')
  const values: Record<string, string> = {
    'nested lists': full('['),
    'nested objects': full('{"a":'),
    'encoded nesting': full('%5B%7B', 3_996),
    'base64 of nesting': nested,
    'quotes inside of braces': `{a:x${full("'", 3_900)}x}`,
    'spaces between letters': `x${full(' ', 3_900)}x`,
    'pluses inside of braces': `{${full('+', 3_900)}:x}`,
    'many categories': `{${full('necessary:true,', 3_900)}}`,
    'many groups': `groups=${full('C0001%3A1%2C', 3_984)}`,
    'many fields': full('groups=&'),
    'many services': full('!gtag=true'),
    'many members': `{${full('"a":true,', 3_996)}"b":true}`,
    'many sections': `DBABLA${full('~BVQVAAAAAAGA.YA', 3_900)}`,
    'a header of ones': `DB${full('_')}`,
    'a header of zeroes': `DB__${full('A', 3_900)}`,
    buckets: `permit ${full('1,')}`,
    percents: full('%'),
    'a consent string': `C${full('A', 15_000)}`,
    'invisible characters': full('\u0000'),
  }

  function slowestMs(request: ReturnType<typeof requestWith>): { ms: number; reader: string } {
    let slowest = { ms: 0, reader: '' }
    for (const reader of readers) {
      let ms = Number.POSITIVE_INFINITY
      // The best of several: the machine may be busy with something else in any one of them.
      for (let run = 0; run < 5; run++) {
        const start = performance.now()
        reader(request)
        ms = Math.min(ms, performance.now() - start)
      }
      if (ms > slowest.ms) slowest = { ms, reader: reader.name }
    }
    return slowest
  }

  test.each(Object.entries(values))('of %s take no reader 2 ms', (_, hostile) => {
    for (const name of cookieNames) {
      const request = {
        ...requestWith('', { 'x-consent': hostile, 'sec-gpc': full('1,', 16_000) }),
        cookies: new Map([[name, hostile]]),
      }
      const { ms, reader } = slowestMs(request)
      expect(ms, `${reader} on ${name}`).toBeLessThan(2)
    }
  })

  test('of small cookies take no reader 2 ms', () => {
    const names = ['cmplz_', '_iub_cs-', 'cookielawinfo-checkbox-', 'wp_consent_', 'ppms_privacy_']
    const cookies = new Map(
      Array.from({ length: 2_500 }, (_, index) => [`${names[index % names.length]}x${index}`, 'yes']),
    )
    expect(slowestMs({ ...requestWith(''), cookies }).ms).toBeLessThan(2)
  })
})
