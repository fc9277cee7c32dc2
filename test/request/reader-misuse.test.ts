import { describe, expect, test } from 'vitest'
import { fromNamespace } from '../../src/context/cls-hooked.js'
import * as reqtrack from '../../src/index.js'

/** What the package exports and is no function that makes a reader. */
const OTHERS = [
  'createTracking',
  'ConfigError',
  'fromAsyncLocalStorage',
  'signCarried',
  'levelName',
  'hashed',
  'only',
  'segmentEcommerce',
]

const factories = Object.entries(reqtrack).filter(
  ([name, value]) => typeof value === 'function' && !OTHERS.includes(name),
)
const settings = { writeKey: 'test-key' }

/** Makes a tracking as JavaScript can, without types in the way. */
function make(request: Record<string, unknown>): void {
  Reflect.apply(reqtrack.createTracking, undefined, [{ settings, disabled: true, request }])
}

function problemsOf(request: Record<string, unknown>): readonly reqtrack.ConfigProblem[] {
  try {
    make(request)
  } catch (error) {
    if (error instanceof reqtrack.ConfigError) return error.problems
    throw error
  }
  return []
}

/** Calls a factory as JavaScript can. */
function call(factory: unknown, ...parameters: unknown[]): unknown {
  if (typeof factory !== 'function') throw new Error('no function')
  return Reflect.apply(factory, undefined, parameters)
}

test('there are as many factories as are checked here', () => {
  expect(factories.length).toBeGreaterThanOrEqual(39)
})

describe.each(factories)('%s, not called,', (name, factory) => {
  const message = new RegExp(`expected a reader, not the function that makes one: write ${name}\\(`)

  test.each(['userId', 'anonymousId', 'consent', 'user', 'skip'])('is refused as request.%s', (key) => {
    expect(problemsOf({ [key]: factory })).toEqual([
      { path: `request.${key}`, message: expect.stringMatching(message) },
    ])
  })

  test('is refused in a list and in strictest()', () => {
    const fine = reqtrack.globalPrivacyControl()
    expect(problemsOf({ consent: [fine, factory] })).toEqual([
      { path: 'request.consent[1]', message: expect.stringMatching(message) },
    ])
    expect(() => make({ consent: call(reqtrack.strictest, fine, factory) })).toThrow(message)
    expect(() => make({ consent: [call(reqtrack.strictest, factory)] })).toThrow(message)
  })
})

test('the text that is promised', () => {
  expect(() => make({ consent: reqtrack.oneTrust })).toThrow(
    'a reader, not the function that makes one: write oneTrust()',
  )
  expect(() => make({ anonymousId: reqtrack.segmentCookie })).toThrow(
    'a reader, not the function that makes one: write segmentCookie()',
  )
})

test('fromNamespace, not called, is refused, too', () => {
  expect(() => make({ userId: fromNamespace })).toThrow(
    /not the function that makes one: write fromNamespace\(namespace, 'userId'\)/,
  )
})

test('readers and functions of the application’s own with such a name are taken', () => {
  expect(
    problemsOf({ consent: [reqtrack.oneTrust(), function oneTrust() {}], userId: function header() {} }),
  ).toEqual([])
})

test('strictest() takes readers, and at least one', () => {
  expect(() => call(reqtrack.strictest)).toThrow(/got no readers/)
  expect(() => call(reqtrack.strictest, [reqtrack.oneTrust()])).toThrow(
    /reader 1: given a list, expected a reader/,
  )
})

/** The factories of readers without a default map. */
const withoutDefaults = [
  'klaro',
  'axeptio',
  'tarteaucitron',
  'orejime',
  'reactCookieConsent',
  'realCookieBanner',
  'securiti',
]

/** The factories that take options, and parameters before them. */
const withOptions: readonly (readonly [name: string, before: readonly unknown[], needed: object])[] = [
  ...factories
    .map(([name]) => name)
    .filter(
      (name) =>
        !withoutDefaults.includes(name) &&
        !/^(?:walkerOSCookies|rudderStackCookie|googleTagServerCookie|signedInUser|sessionValue|header|cookie|bots|prefetches|strictest|consentCookie|consentHeader)$/.test(
          name,
        ),
    )
    .map((name) => [name, [], {}] as const),
  ...withoutDefaults.map((name) => [name, [], { categories: { a: 'analytics' } }] as const),
  ['consentCookie', ['consent'], {}],
  ['consentHeader', ['x-consent'], {}],
]

describe.each(withOptions)('the options of %s', (name, before, needed) => {
  const factory = Reflect.get(reqtrack, name)
  const make = (options: unknown) => call(factory, ...before, options)

  test.each([null, 'C0002', 7, true, ['C0002'], () => ({})])('are an object, and not %j', (options) => {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).toThrow(new RegExp(`^${name}\\(`))
  })

  test('are known ones', () => {
    expect(() => make({ ...needed, surprise: 1 })).toThrow(
      /surprise: unknown key, known are |surprise: unknown key, did/,
    )
    expect(() => make({ ...needed, surprise: undefined })).not.toThrow()
    expect(() => make({ ...needed })).not.toThrow()
  })
})

describe('one error lists every problem of the options', () => {
  const {
    oneTrust,
    gpp,
    globalPrivacyControl,
    usPrivacy,
    tcf,
    vanillaCookieConsent,
    complianz,
    segmentCookie,
  } = reqtrack

  test.each<[what: string, make: () => unknown, problems: readonly string[]]>([
    [
      'a slip',
      () => call(oneTrust, { category: { C0002: 'analytics' } }),
      ['category: unknown key, did you mean categories?'],
    ],
    [
      'a slip of case',
      () => call(oneTrust, { explicitonly: false }),
      ['explicitonly: unknown key, did you mean explicitOnly?'],
    ],
    [
      'a bad map',
      () =>
        call(oneTrust, {
          categories: { C0001: true, C0002: '', C0003: [], C0004: ['marketing', 1] },
          explicitOnly: 'no',
        }),
      [
        "categories.C0001: given true, expected a walkerOS key such as 'analytics', or a list of them",
        'categories.C0002: given an empty string',
        'categories.C0003: given a list',
        'categories.C0004: given a list',
        'explicitOnly: given a string, expected true or false',
      ],
    ],
    [
      'no map',
      () => call(oneTrust, { categories: 'C0002' }),
      ['categories: given a string, expected an object'],
    ],
    [
      'a list for a map',
      () => call(oneTrust, { categories: ['C0002'] }),
      ['categories: given a list, expected an object'],
    ],
    [
      'signals that there are not',
      () => call(gpp, { categories: { targeted: 'marketing', gcp: 'marketing' }, cookies: 'gpp' }),
      [
        'categories.targeted: unknown key',
        'categories.gcp: unknown key, did you mean gpc?',
        'cookies: given a string, expected a list',
      ],
    ],
    [
      'a signal of another reader',
      () => call(globalPrivacyControl, { categories: { sale: 'marketing' } }),
      ['categories.sale: unknown key, known are gpc'],
    ],
    ['no cookies', () => call(usPrivacy, { cookies: [] }), ['cookies: given a list']],
    [
      'a list that has a length and nothing else',
      () => call(usPrivacy, { cookies: Object.assign([], { length: 4e9 }) }),
      ['cookies: given a list'],
    ],
    ['cookies that are none', () => call(tcf, { cookies: ['euconsent-v2', 1] }), ['cookies: given a list']],
    [
      'a revision as text',
      () => call(vanillaCookieConsent, { revision: '2' }),
      ['revision: given a string, expected a whole number'],
    ],
    ['an empty prefix', () => call(complianz, { prefix: '' }), ['prefix: given an empty string']],
    [
      'a creation',
      () =>
        call(segmentCookie, {
          create: { domian: 'example.com', maxAge: -1, sameSite: 'Lax', secure: 'yes' },
        }),
      [
        'got domian: unknown key, did you mean domain?',
        'got no consent',
        'got the maxAge -1',
        'got secure: given a string',
        'got the sameSite "Lax"',
      ],
    ],
    [
      'a creation that is none',
      () => call(segmentCookie, { create: true }),
      ['given true, expected an object'],
    ],
  ])('%s', (_what, make, problems) => {
    expect(make).toThrow(TypeError)
    for (const problem of problems) expect(make).toThrow(problem)
  })

  test('and never quotes a string that may be a secret', () => {
    try {
      call(reqtrack.amplitudeCookie, { key: 'abc', apiKey: 'sk-secret' })
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toMatch(/sk-secret|abc/)
    }
  })
})
