import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ConsentReader,
  complianz,
  consentCookie,
  cookiebot,
  cookieLawInfo,
  didomi,
  gpp,
  oneTrust,
  tcf,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
} from '../../src/request/consent/index.js'
import {
  base64,
  type Choices,
  categoriesOf,
  type Format,
  formats,
  json,
  tcString,
} from './consent-formats.js'
import { requestWith } from './consent-request.js'

// A browser sends a cookie twice where a site set it for its host and for the wider domain, the older one first.

type Consent = Readonly<Record<string, boolean>> | undefined

/** A refusal in one of the two refuses, and only a grant in both grants. */
function stricter(one: Consent, other: Consent): Consent {
  const keys = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])
  const consent: Record<string, boolean> = {}
  for (const key of keys) {
    if (one?.[key] === false || other?.[key] === false) consent[key] = false
    else if (one?.[key] === true && other?.[key] === true) consent[key] = true
  }
  return Object.keys(consent).length > 0 ? consent : undefined
}

function choicesOf(format: Format, answers: readonly boolean[]): Choices {
  const necessary = format.keys.functional?.[0]
  return new Map(
    categoriesOf(format).map((category, at) => [category, category === necessary || answers[at] === true]),
  )
}

describe.each(formats)('$name, recorded twice', (format) => {
  const reader = format.reader()
  const answers = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 })

  test('grants what both grant, and refuses what one refuses', () => {
    fc.assert(
      fc.property(answers, answers, (one, other) => {
        const first = format.write(choicesOf(format, one))
        const second = format.write(choicesOf(format, other))
        const expected = stricter(reader(requestWith(first)), reader(requestWith(second)))
        expect(reader(requestWith(`a=1; ${first}; b=2; ${second}`))).toEqual(expected)
      }),
    )
  })

  test('is unknown where one is no choice', () => {
    const all = format.write(choicesOf(format, Array(12).fill(true)))
    const none = format.write(null)
    // A manager that has written nothing yet is no second record.
    if (none === '') return
    const { functional: _, ...consent } = reader(requestWith(`${all}; ${none}`)) ?? {}
    expect(Object.values(consent)).not.toContain(false)
    expect(reader(requestWith(`${none}; ${all}`))).toEqual(reader(requestWith(`${all}; ${none}`)))
  })

  test('does not mind a second one that cannot be understood', () => {
    const record = format.write(choicesOf(format, Array(12).fill(true)))
    const garbled = record
      .split('; ')
      .map((cookie) => `${cookie.slice(0, cookie.indexOf('='))}=%7Bgarbled`)
      .filter((cookie) =>
        /OptanonConsent|CookieConsent|cc_cookie|klaro|borlabs|CookieControl|didomi_token|mirror/.test(cookie),
      )
    expect(reader(requestWith([record, ...garbled].join('; ')))).toEqual(reader(requestWith(record)))
  })
})

type Case = readonly [what: string, reader: ConsentReader, cookie: string, consent: Consent]

const accepted = `cc_cookie=${json({ categories: ['necessary', 'analytics', 'marketing'], revision: 0 })}`
const refused = `cc_cookie=${json({ categories: ['necessary'], revision: 0 })}`
const onlyNecessary = { functional: true, analytics: false, marketing: false }
const groups = 'OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1'
const closed = 'OptanonAlertBoxClosed=2025-03-04T09:11:12.345Z'
const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`

test.each<Case>([
  ['an older grant before a refusal', vanillaCookieConsent(), `${accepted}; ${refused}`, onlyNecessary],
  ['an older refusal before a grant', vanillaCookieConsent(), `${refused}; ${accepted}`, onlyNecessary],
  ['the same twice', vanillaCookieConsent(), `${refused}; ${refused}`, onlyNecessary],
  [
    'oneTrust: one asks again',
    oneTrust(),
    `${closed}; ${groups}; ${groups}&AwaitingReconsent=true`,
    undefined,
  ],
  ['oneTrust: one of two dates', oneTrust(), `${closed}; OptanonAlertBoxClosed=true; ${groups}`, undefined],
  [
    'complianz: one category of several',
    complianz(),
    'cmplz_functional=allow; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_marketing=deny; cmplz_banner-status=dismissed',
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'complianz: the banner shown again',
    complianz(),
    'cmplz_functional=allow; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_banner-status=dismissed; cmplz_banner-status=show',
    undefined,
  ],
  [
    'cookieLawInfo: rejected in one',
    cookieLawInfo(),
    `CookieLawInfoConsent=${base64({ necessary: true, analytics: true })}; viewed_cookie_policy=yes; viewed_cookie_policy=no`,
    onlyNecessary,
  ],
  [
    'trustArc: one level below the other',
    trustArc(),
    'notice_preferences=2:; notice_preferences=0:; cmapi_cookie_privacy=permit 1,2,3',
    onlyNecessary,
  ],
  [
    'didomi: two consent strings',
    didomi(),
    `euconsent-v2=${tcString([1, 3, 4, 8, 9])}; euconsent-v2=${tcString([1, 8, 9])}`,
    { analytics: true, marketing: false },
  ],
  [
    'tcf: the string of an earlier manager beside that of the present one',
    tcf(),
    `euconsent-v2=${tcString([1, 3, 4, 8, 9])}; eupubconsent-v2=${tcString([])}`,
    { analytics: false, marketing: false },
  ],
  [
    'a mirror',
    consentCookie('c'),
    `c=${json({ analytics: true, marketing: true })}; c=${json({ analytics: true, marketing: false })}`,
    { analytics: true, marketing: false },
  ],
  ['usPrivacy', usPrivacy(), 'usprivacy=1YNN; usprivacy=1YYN', { marketing: false }],
  ['gpp', gpp(), 'gpp=DBABLA~BVQqAAAAAAGA.QA; gpp=DBABLA~BVQVAAAAAAGA.YA', { marketing: false }],
  ['a name that is the end of another', cookiebot(), `xCookieConsent=0; CookieConsent=-1`, undefined],
  [
    'quoted JSON',
    vanillaCookieConsent(),
    `cc_cookie=${quoted(JSON.stringify({ categories: ['necessary'] }))}`,
    onlyNecessary,
  ],
  // Python's http.cookies writes what is not allowed in a cookie as octal numbers.
  [
    'quoted JSON with octal escapes',
    vanillaCookieConsent(),
    'cc_cookie="{\\"categories\\":[\\"necessary\\"\\054\\"analytics\\"]}"',
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'a quoted consent string',
    tcf(),
    `euconsent-v2="${tcString([])}"`,
    { analytics: false, marketing: false },
  ],
  ['a quoted form', oneTrust(), `${closed}; OptanonConsent="groups=C0001%3A1"`, onlyNecessary],
])('%s', (_what, reader, cookie, consent) => {
  expect(reader(requestWith(cookie))).toEqual(consent)
})

describe('more values of one cookie than a browser sends', () => {
  const many = (name: string, value: (index: number) => string) =>
    Array.from({ length: 1_000 }, (_, index) => `${name}=${value(index)}`).join('; ')

  test('grant nothing', () => {
    const grants = many('cc_cookie', (index) => json({ categories: ['analytics'], i: index }))
    expect(vanillaCookieConsent()(requestWith(grants))).toBeUndefined()
    const strings = many('euconsent-v2', (index) => `${tcString([1, 8, 9])}${index}`)
    expect(tcf()(requestWith(strings))).toBeUndefined()
  })

  test('refuse where they are a signal', () => {
    expect(usPrivacy()(requestWith(many('usprivacy', (index) => `1YN${index}`)))).toEqual({
      marketing: false,
    })
    expect(gpp()(requestWith(many('gpp', (index) => `DBAA${index}`)))).toEqual({ marketing: false })
  })

  test('take no reader 2 ms', () => {
    const names = [
      'cc_cookie',
      'OptanonConsent',
      'gpp',
      'cmplz_statistics',
      'viewed_cookie_policy',
      '_iub_cs-1',
    ]
    const readers = formats.map((format) => format.reader())
    for (const name of names) {
      const request = requestWith(many(name, (index) => `{${index}`))
      for (const reader of [...readers, gpp(), usPrivacy()]) {
        const times = Array.from({ length: 5 }, () => {
          const start = performance.now()
          reader(request)
          return performance.now() - start
        })
        expect(Math.min(...times), `${reader.name} on ${name}`).toBeLessThan(2)
      }
    }
  })
})
