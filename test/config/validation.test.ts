import { AsyncLocalStorage } from 'node:async_hooks'
import { Analytics, FetchHTTPClient } from '@segment/analytics-node'
import { Level } from '@walkeros/core'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { validateConfig } from '../../src/config/validation.js'
import { COLLECTOR_FIELDS } from '../../src/destination/schemas/index.js'
import {
  createTracking,
  fromAsyncLocalStorage,
  hashed,
  oneTrust,
  only,
  type TrackingConfig,
} from '../../src/index.js'

const settings = { writeKey: 'a-write-key' }

/** The problems of a configuration by their paths. */
function problemsOf(config: unknown): Record<string, string> {
  const error = errorOf(config)
  return Object.fromEntries((error?.problems ?? []).map(({ path, message }) => [path, message]))
}

/** What validating throws, which has to be a ConfigError if anything. */
function errorOf(config: unknown): ConfigError | undefined {
  try {
    validateConfig(config)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

/** A configuration with a value at a dotted path. */
function withValue(path: string, value: unknown): unknown {
  const config: Record<string, unknown> = { settings: { ...settings } }
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let place = config
  for (const key of keys) {
    const inner = (place[key] ?? {}) as Record<string, unknown>
    place[key] = inner
    place = inner
  }
  place[last] = value
  return config
}

describe('a configuration that is right', () => {
  const client = new Analytics({ writeKey: 'k', disable: true })
  const everything: TrackingConfig = {
    settings: {
      ...settings,
      userId: { key: 'user.id', validate: (id) => id !== '' },
      anonymousId: ['user.device', 'user.session'],
      host: 'http://127.0.0.1:4000',
      path: '/v1/batch',
      flushAt: 1,
      flushInterval: 0,
      maxRetries: 0,
      httpRequestTimeout: 0.5,
      disable: false,
      httpClient: new FetchHTTPClient(),
      oauthSettings: {
        clientId: 'c',
        clientKey: 'k',
        keyId: 'i',
        maxRetries: 2,
        httpClient: new FetchHTTPClient(),
      },
      maxTotalBackoffDuration: 60,
      maxRateLimitDuration: 60,
      identify: { map: { traits: { map: { email: 'user.email' } } } },
      group: { condition: () => true, map: { groupId: 'data.company' } },
      consent: { marketing: 'Advertising', 'a b': 'Analytics' },
      integrations: {
        All: true,
        Mixpanel: false,
        Amplitude: { session_id: 1, nested: { list: [null, 'a'] } },
      },
      context: { map: { ip: 'user.ip' } },
      messageId: true,
    },
    mapping: {
      order: {
        complete: {
          name: 'Order Completed',
          data: { map: { total: 'data.total', items: { loop: ['nested', { map: { id: 'data.id' } }] } } },
          include: ['context'],
          remove: ['secret'],
          condition: async () => true,
          consent: { marketing: true },
          policy: { 'user.country': { value: 'DE' } },
          silent: false,
          skip: false,
          ignore: false,
          sample: 0.5,
          settings: { identify: 'user', group: ['data.a', { value: 'b' }], page: true, screen: { map: {} } },
        },
        '*': [{ condition: () => false }, { ignore: true }],
      },
      '*': { '*': { data: ['data', ['a', { set: ['b', { value: 1 }] }]] } },
      Checkout: { 'Step Viewed': { name: 'Step Seen' } },
      Subscribed: { '*': {} },
      gone: undefined,
    },
    consent: { analytics: true },
    data: [{ fn: (event) => event, consent: { analytics: true }, value: { a: 1 } }, 'data'],
    include: ['all'],
    policy: { 'data.total': { key: 'data.sum' } },
    env: { analytics: client, somethingElse: { of: () => 'the application' } },
    globals: { release: '1.4.2', tenant: { id: 't-1', tags: ['a'] }, nothing: undefined },
    beforeSend: [(call) => call, async () => null],
    id: 'segment',
    disabled: false,
    logger: { level: 'DEBUG', handler: () => {}, jsonHandler: () => {} },
    request: {
      userId: [() => 'u', async () => 7],
      anonymousId: () => undefined,
      consent: [() => ({ analytics: true })],
      user: () => ({ email: 'a@example.com' }),
      context: { ip: 'anonymize', userAgent: false, locale: true, page: { query: ['q'] }, campaign: true },
      pageViews: true,
      consentUpdates: false,
      skip: () => false,
    },
    dispatch: ({ status }) => status === 200,
    ambient: fromAsyncLocalStorage(new AsyncLocalStorage<object>()),
    delivery: {},
    on: { delivered() {}, dropped() {}, failed() {}, error() {}, shutdown() {} },
  }

  it('may have everything in it', () => {
    expect(problemsOf(everything)).toEqual({})
  })

  it('may read the globals of each request', () => {
    expect(problemsOf({ settings, globals: async () => ({ tenant: 't-1' }) })).toEqual({})
  })

  it('needs a write key and no more', () => {
    expect(problemsOf({ settings })).toEqual({})
    const tracking = createTracking({ settings })
    onTestFinished(async () => void (await tracking.shutdown()))
    expect(tracking.stats().events.tracked).toBe(0)
  })

  it.each([
    ['settings.httpClient', fetch],
    ['settings.httpClient', { makeRequest() {} }],
    ['settings.host', 'https://events.eu1.segmentapis.com'],
    ['request.context', false],
    ['request.context', { page: false }],
    ['dispatch', 'always'],
    ['dispatch', 'success'],
    ['ambient', false],
    [
      'ambient',
      new (class {
        run() {}
        get() {}
      })(),
    ],
    ['logger', { level: Level.WARN }],
    ['env.analytics', { track() {} }],
    [
      'delivery',
      {
        maxPending: 1,
        maxBytes: 1,
        maxInFlight: 1,
        maxAge: 0.5,
        outbox: new (class {
          open() {}
        })(),
      },
    ],
    ['mapping.order.complete', []],
    ['mapping.order.complete.data', {}],
  ])('may have %s', (path, value) => {
    expect(problemsOf(withValue(path, value))).toEqual({})
  })

  it('may have undefined wherever something may be left out', () => {
    const blank = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
        ? Object.fromEntries(Object.keys(value).map((key) => [key, undefined]))
        : undefined
    const { oauthSettings: _, ...rest } = everything.settings
    const config = { ...(blank(everything) as object), settings: { ...(blank(rest) as object), ...settings } }
    expect(problemsOf(config)).toEqual({})
    expect(
      problemsOf({ settings, queue: undefined, wrong: undefined, request: blank(everything.request) }),
    ).toEqual({})
    expect(problemsOf(withValue('mapping.order.complete', { name: undefined, batch: undefined }))).toEqual({})
  })

  it('may refer to one object in several places, and hold circles in what is the application’s own', () => {
    const traits = { map: { email: 'user.email' } }
    const recorder: Record<string, unknown> = { track() {} }
    recorder.self = recorder
    const config = {
      settings: {
        ...settings,
        identify: { map: { traits } },
        group: { map: { groupId: 'data.id', traits } },
      },
      env: { analytics: recorder, all: recorder },
      mapping: { a: { b: { settings: { identify: { map: { traits } } } } } },
    }
    expect(problemsOf(config)).toEqual({})
  })
})

describe('a configuration that is wrong', () => {
  it('is refused by one error with a line for each of its problems', () => {
    const config = {
      settings: { writeKey: ' ', flushat: 20, flushInterval: -1 },
      mapping: { order: { complete: { nmae: 'Order Completed' } } },
      queue: true,
    }
    const error = errorOf(config)
    expect(error?.name).toBe('ConfigError')
    expect(error?.message.split('\n')).toEqual([
      'the configuration of createTracking has 5 problems:',
      '  settings.writeKey: given an empty string, expected the write key of your Segment source, found in Segment under Connections > Sources > Settings > API Keys',
      '  settings.flushInterval: given the number -1, expected a number of milliseconds, 0 or more',
      '  settings.flushat: unknown key, did you mean flushAt?',
      '  mapping.order.complete.nmae: unknown key, did you mean name?',
      '  queue: only a walkerOS collector can honour this, it parks events without consent: here they are dropped and counted, remove it',
    ])
    // @ts-expect-error: the configuration is wrong.
    expect(() => createTracking(config)).toThrow(ConfigError)
  })

  it.each([
    ['no settings', {}],
    ['empty settings', { settings: {} }],
    ['an empty key', { settings: { writeKey: '' } }],
    ['a blank key', { settings: { writeKey: ' \t' } }],
    ['a number for a key', { settings: { writeKey: 7 } }],
    ['undefined for a key', { settings: { writeKey: undefined } }],
  ])('is told where to find the write key: %s', (_, config) => {
    expect(Object.keys(problemsOf(config))).toEqual(['settings.writeKey'])
    expect(errorOf(config)?.message).toMatch(/Connections > Sources > Settings > API Keys/)
  })

  it.each<[path: string, value: unknown, at: string, message: string]>([
    ['settings.flushAt', 0, '', 'given the number 0, expected an integer of at least 1'],
    ['settings.flushAt', 1.5, '', 'given the number 1.5, expected an integer of at least 1'],
    ['settings.flushAt', '15', '', 'given a string, expected an integer of at least 1'],
    ['settings.flushAt', null, '', 'given null, expected an integer of at least 1'],
    [
      'settings.flushInterval',
      Number.POSITIVE_INFINITY,
      '',
      'given the number Infinity, expected a number of milliseconds',
    ],
    ['settings.flushInterval', Number.NaN, '', 'given the number NaN, expected a number of milliseconds'],
    ['settings.maxRetries', -1, '', 'given the number -1, expected an integer of at least 0'],
    ['settings.maxRetries', 3n, '', 'given a bigint, expected an integer of at least 0'],
    [
      'settings.httpRequestTimeout',
      0,
      '',
      'given the number 0, expected a number of milliseconds that is more than 0',
    ],
    [
      'settings.maxTotalBackoffDuration',
      0,
      '',
      'given the number 0, expected a number of seconds that is more than 0',
    ],
    [
      'settings.maxRateLimitDuration',
      -1,
      '',
      'given the number -1, expected a number of seconds that is more than 0',
    ],
    ['settings.disable', 'true', '', 'given a string, expected true or false'],
    [
      'settings.host',
      'events.eu1.segmentapis.com',
      '',
      'given a string, expected an http or https URL such as https://events.eu1.segmentapis.com',
    ],
    [
      'settings.host',
      'ftp://segmentapis.com',
      '',
      'given a string, expected an http or https URL such as https://events.eu1.segmentapis.com',
    ],
    [
      'settings.host',
      'https://',
      '',
      'given a string, expected an http or https URL such as https://events.eu1.segmentapis.com',
    ],
    [
      'settings.path',
      'v1/batch',
      '',
      'given a string, expected a path that begins with a slash, such as /v1/batch',
    ],
    [
      'settings.httpClient',
      {},
      '',
      'given an object, expected a fetch function, or an object with a function makeRequest',
    ],
    [
      'settings.oauthSettings',
      { clientId: 'c', clientKey: '' },
      '.clientKey',
      'given an empty string, expected the private key of the OAuth app',
    ],
    [
      'settings.oauthSettings',
      { clientId: 'c', clientKey: 'k' },
      '.keyId',
      'missing, expected the id of the public key',
    ],
    [
      'settings.consent',
      { marketing: '' },
      '.marketing',
      'given an empty string, expected the name of a Segment consent category',
    ],
    [
      'settings.consent',
      { marketing: true },
      '.marketing',
      'given true, expected the name of a Segment consent category',
    ],
    [
      'settings.consent',
      ['marketing'],
      '',
      "given a list, expected consent keys and Segment's categories, such as { marketing: 'Advertising' }",
    ],
    [
      'settings.integrations',
      { Mixpanel: 'no' },
      '.Mixpanel',
      'given a string, expected true, false, or an object of plain JSON values',
    ],
    [
      'settings.integrations',
      { Mixpanel: { at: new Date(), by: 1n } },
      '.Mixpanel',
      'given an object, expected true, false, or an object of plain JSON values',
    ],
    ['settings.userId', 5, '', 'given the number 5, expected a mapping value'],
    [
      'settings.identify',
      { map: { traits: { map: { email: false } } } },
      '.map.traits.map.email',
      'given false, expected a mapping value',
    ],
    [
      'settings.identify',
      { map: { traits: { mapp: {} } } },
      '.map.traits.mapp',
      'unknown key, did you mean map?',
    ],
    ['settings.group', { loop: ['nested'] }, '.loop', 'given a list, expected a list of two mapping values'],
    ['settings.context', { fn: 'event => event' }, '.fn', 'given a string, expected a function'],
    ['settings.messageId', 1, '', 'given the number 1, expected true or false'],
    ['settings.nonsense', 1, '', 'unknown key, known are writeKey, userId'],
    ['writeKey', 'k', '', 'unknown key here, did you mean settings.writeKey?'],
    ['userId', () => 1, '', 'unknown key here, did you mean settings.userId or request.userId?'],
    ['mappings', {}, '', 'unknown key, did you mean mapping?'],
    ['mapping', [], '', 'given a list, expected entities, actions and their rules'],
    ['mapping.order', 'Order Completed', '', 'given a string, expected actions and their rules'],
    [
      'mapping.order.complete',
      'Order Completed',
      '',
      'given a string, expected a mapping rule or a list of rules',
    ],
    ['mapping.order.complete', [{}, null], '[1]', 'given null, expected a mapping rule'],
    ['mapping.order.complete', [{}, { skp: true }], '[1].skp', 'unknown key, did you mean skip?'],
    [
      'mapping.order.complete',
      { batch: 5 },
      '.batch',
      'not supported here, the Segment client batches already',
    ],
    ['mapping.order.complete', { extend: {} }, '.extend', 'only a walkerOS collector merges rules'],
    [
      'mapping.order.complete',
      { settings: { track: true } },
      '.settings.track',
      'unknown key, known are identify, group, page, screen',
    ],
    [
      'mapping.order.complete',
      { settings: { pages: true } },
      '.settings.pages',
      'unknown key, did you mean page?',
    ],
    [
      'mapping.order.complete',
      { settings: { page: 5 } },
      '.settings.page',
      'given the number 5, expected true, or a mapping value',
    ],
    [
      'mapping.order.complete',
      { settings: { page: { map: { name: 5 } } } },
      '.settings.page.map.name',
      'given the number 5, expected a mapping value',
    ],
    [
      'mapping.order.complete',
      { data: ['a', ['b', { kee: 'c' }]] },
      '.data[1][1].kee',
      'unknown key, did you mean key?',
    ],
    [
      'mapping.order.complete',
      { data: { value: () => 1 } },
      '.data.value',
      'given a function, expected a string, number, boolean',
    ],
    ['mapping.order.complete', { condition: 'x' }, '.condition', 'given a string, expected a function'],
    ['mapping.order.complete', { include: 'all' }, '.include', 'given a string, expected a list of sections'],
    [
      'mapping.order.complete',
      { consent: { a: 'yes' } },
      '.consent.a',
      'given a string, expected true or false',
    ],
    [
      'mapping.order complete',
      {},
      '',
      'no event has this entity: expected one word with its actions below it',
    ],
    ['mapping.order.', {}, '', 'no event has this action'],
    ['mapping.order', { ' complete': {} }, '[" complete"]', 'no event has this action'],
    [
      'mapping.order.complete',
      { sample: 1.01 },
      '.sample',
      'given the number 1.01, expected a share from 0 to 1',
    ],
    [
      'mapping.order.complete',
      { sample: -1 },
      '.sample',
      'given the number -1, expected a share from 0 to 1',
    ],
    [
      'mapping.order.complete',
      { sample: Number.NaN },
      '.sample',
      'given the number NaN, expected a share from 0 to 1',
    ],
    ['mapping.order.complete', { sample: '10%' }, '.sample', 'given a string, expected a share from 0 to 1'],
    ['beforeSend', 'hashed', '', 'given a string, expected a function of the call and its event, or a list'],
    ['beforeSend', [() => null, null], '[1]', 'given null, expected a function'],
    [
      'beforeSend',
      hashed,
      '',
      "given a function, expected a function of the call, not the function that makes one: write hashed('traits.email')",
    ],
    [
      'beforeSend',
      [only],
      '[0]',
      "given a function, expected a function of the call, not the function that makes one: write only('traits.email')",
    ],
    [
      'globals',
      oneTrust,
      '',
      'given a function, expected a reader, not the function that makes one: write oneTrust(',
    ],
    [
      'globals',
      'production',
      '',
      "given a string, expected an object such as { release: '1.4.2' }, or a function",
    ],
    ['globals', ['production'], '', 'given a list, expected an object'],
    ['globals', { at: new Date() }, '.at', 'given a date, expected a value of plain JSON'],
    ['globals', { big: 1n }, '.big', 'given a bigint, expected a value of plain JSON'],
    ['globals', { text: 'x'.repeat(40_000) }, '', 'given an object, expected less than the 32 KB of a call'],
    ['consent', { analytics: 'granted' }, '.analytics', 'given a string, expected true or false'],
    ['consent', ['analytics'], '', 'given a list, expected consent keys and true'],
    ['include', [1], '[0]', "given the number 1, expected a section's name"],
    ['policy', { 'user.id': 1 }, '["user.id"]', 'given the number 1, expected a mapping value'],
    ['env', { analytics: { identify() {} } }, '.analytics', 'given an object, expected a Segment client'],
    ['logger', { level: 'LOUD' }, '.level', 'given a string, expected ERROR, WARN, INFO or DEBUG'],
    [
      'request',
      { userId: 'req.user.id' },
      '.userId',
      'given a string, expected a function or a list of functions',
    ],
    ['request', { userId: [() => 1, 2] }, '.userId[1]', 'given the number 2, expected a function'],
    ['request', { anonymusId: () => 1 }, '.anonymusId', 'unknown key, did you mean anonymousId?'],
    ['request', { context: true }, '.context', 'given true, expected false or an object'],
    [
      'request',
      { context: { ip: 'mask' } },
      '.context.ip',
      "given a string, expected true, false or 'anonymize'",
    ],
    [
      'request',
      { context: { page: { query: 'q' } } },
      '.context.page.query',
      'given a string, expected a list',
    ],
    ['request', { context: { page: {} } }, '.context.page.query', 'missing, expected a list'],
    [
      'request',
      { context: { useragent: true } },
      '.context.useragent',
      'unknown key, did you mean userAgent?',
    ],
    ['dispatch', 'sucess', '', "given a string, expected 'always', 'success' or a function of the outcome"],
    [
      'ambient',
      new AsyncLocalStorage(),
      '',
      'given an object, expected false, or an adapter with functions run and get',
    ],
    ['ambient', true, '', 'given true, expected false, or an adapter'],
    [
      'delivery',
      { maxAge: 0 },
      '.maxAge',
      'given the number 0, expected a number of milliseconds that is more than 0',
    ],
    ['delivery', { maxpending: 1 }, '.maxpending', 'unknown key, did you mean maxPending?'],
    ['delivery', { send: false }, '.send', 'given false, expected an outbox that other processes read'],
    [
      'delivery',
      { send: false, outbox: { open() {} } },
      '.send',
      'given false, expected an outbox that other processes read while this one lives',
    ],
    ['delivery', { outbox: '/var/outbox' }, '.outbox', 'given a string, expected an outbox'],
    ['on', { fail: () => {} }, '.fail', 'unknown key, did you mean failed?'],
    ['on', { failed: true }, '.failed', 'given true, expected a function'],
  ])('%s: %o', (path, value, at, message) => {
    const where =
      path === 'mapping.order complete'
        ? 'mapping["order complete"]'
        : path === 'mapping.order.'
          ? 'mapping.order[""]'
          : path
    const problems = problemsOf(withValue(path, value))
    expect(Object.keys(problems)).toContain(where + at)
    expect(problems[where + at]).toContain(message)
    expect(errorOf(withValue(path, value))?.message).toContain(`\n  ${where}${at}: ${message}`)
  })

  it.each(Object.keys(COLLECTOR_FIELDS))(
    'is told why a field that only a collector can honour is refused: %s',
    (name) => {
      const { [name]: message, ...others } = problemsOf({ settings, [name]: true })
      expect(others).toEqual({})
      expect(message).toMatch(
        name === 'batch'
          ? /the Segment client batches already/
          : /^only a walkerOS collector can honour this, .+: .+/,
      )
    },
  )
})

describe('what is no configuration at all', () => {
  const throwing = {
    get settings(): never {
      throw new Error('s3cret')
    },
  }
  const circular: Record<string, unknown> = { key: 'data.a' }
  circular.map = { again: circular }
  let deep: object = {}
  for (let level = 0; level < 5_000; level++) deep = { map: { a: deep } }

  it.each<[name: string, config: unknown, path: string, message: string]>([
    ['null', null, '', 'given null, expected an object such as { settings: { writeKey } }'],
    ['undefined', undefined, '', 'missing, expected an object'],
    ['a string', 's3cret', '', 'given a string, expected an object'],
    ['a number', 42, '', 'given the number 42, expected an object'],
    ['a list', [settings], '', 'given a list, expected an object'],
    ['a function', () => settings, '', 'given a function, expected an object'],
    ['a promise', Promise.resolve({ settings }), '', 'given a promise, expected an object'],
    ['a date for settings', { settings: new Date() }, 'settings', 'given a date, expected an object'],
    [
      'a Map for a section',
      { settings, request: new Map() },
      'request',
      'given an object of a built-in class',
    ],
    ['a getter that throws', throwing, 'settings', 'given a getter that throws, expected an object'],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('s3cret')
          },
        },
      ),
      '',
      'given an object that cannot be read',
    ],
    ['a symbol', { settings, id: Symbol('s3cret') }, 'id', 'given a symbol, expected a name'],
    [
      'a mapping in a circle',
      withValue('settings.identify', circular),
      'settings.identify.map.again',
      'given an object that contains itself',
    ],
    [
      'a list in a circle',
      (() => {
        const list: unknown[] = []
        list.push(list)
        return { settings, include: list }
      })(),
      'include[0]',
      'given an object that contains itself',
    ],
    [
      'a list without end',
      { settings, include: new Array(2 ** 32 - 1) },
      'include',
      'given a list of more than 10000 entries',
    ],
  ])('is refused: %s', (_, config, path, message) => {
    const problems = problemsOf(config)
    expect(problems[path]).toContain(message)
    expect(errorOf(config)?.message).not.toContain('s3cret')
    // @ts-expect-error: it is no configuration.
    expect(() => createTracking(config)).toThrow(ConfigError)
  })

  it('is refused where it is nested without end', () => {
    expect(errorOf(withValue('settings.identify', deep))?.message).toContain('nested deeper than 64 levels')
  })

  it('is looked at no deeper than needed where it is the application’s own', () => {
    let looked = 0
    const analytics = {
      track() {},
      get connection() {
        looked++
        return analytics
      },
    }
    const httpClient = { ...analytics, makeRequest() {} }
    looked = 0
    expect(
      problemsOf({ settings: { ...settings, httpClient }, env: { analytics, pool: analytics } }),
    ).toEqual({})
    expect(looked).toBe(0)
  })

  it('cuts and quotes keys that are not names', () => {
    const key = `line\nbreak ${'x'.repeat(10_000)}`
    expect(errorOf({ settings, [key]: 1 })?.message.split('\n')[1]).toMatch(
      /^ {2}\["line\\nbreak x+…"\]: unknown key/,
    )
    expect(errorOf(JSON.parse('{"settings":{"writeKey":"k","__proto__":{"flushAt":1}}}'))?.message).toContain(
      'settings.__proto__: unknown key',
    )
  })
})

/** One of the words of some lines. */
function oneOf(...lines: string[]): fc.Arbitrary<string> {
  return fc.constantFrom(...lines.flatMap((line) => line.split(' ')))
}

describe('of any configuration', () => {
  const secret = fc.stringMatching(/^[a-z0-9]{8}$/).map((text) => `s3cret-${text}`)
  const known = oneOf(
    'settings writeKey mapping consent data request userId context delivery on logger map loop key value flushAt',
    'batch queue order * __proto__ constructor toString oauthSettings integrations policy include env identify',
  )
  const junk = fc.anything({
    key: fc.oneof(known, fc.string({ maxLength: 4 })),
    values: [
      secret,
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(undefined),
      fc.constant(null),
      fc.bigInt(),
      fc.func(fc.nat()),
    ],
    maxDepth: 6,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  })

  const parts = oneOf(
    'settings mapping consent include policy env disabled logger request dispatch delivery on ambient',
    'settings.flushAt settings.flushInterval settings.maxRetries settings.disable settings.httpClient settings.host',
    'settings.path settings.consent settings.integrations settings.oauthSettings request.userId request.consent',
    'request.context request.skip request.pageViews env.analytics on.failed delivery.maxPending delivery.outbox',
    'mapping.a mapping.a.b mapping.a.b.condition mapping.a.b.settings',
  )

  it('nothing but a ConfigError comes, and no string of it is quoted', () => {
    fc.assert(
      fc.property(junk, parts, secret, (anything, part, writeKey) => {
        const configs = [anything, withValue(part, anything)]
        if (typeof anything === 'object') configs.push({ ...anything, settings: { ...anything, writeKey } })
        for (const config of configs) {
          const error = errorOf(config)
          if (!error) continue
          expect(error.message).not.toContain('s3cret')
          // Each line says what was expected in our own words, none in those of the schema library.
          expect(error.message).not.toMatch(/Invalid|Unrecognized|Too (small|big)/)
          expect(error.message.split('\n')).toHaveLength(error.problems.length + 1)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('a known part that is junk is never taken for right', () => {
    const wrong = fc.oneof(secret, fc.constant(null), fc.constant(Symbol('x')), fc.bigInt())
    fc.assert(
      fc.property(parts, wrong, (path, value) => {
        const config = withValue(path, value)
        const problems = problemsOf(config)
        expect(Object.keys(problems)).toEqual([path])
        expect(errorOf(config)?.message).not.toContain('s3cret')
      }),
    )
  })

  it('an unknown key is told the known one that it is a slip of', () => {
    const slips = oneOf('flushAt flushInterval maxRetries httpRequestTimeout integrations anonymousId')
    fc.assert(
      fc.property(
        slips,
        fc.nat(),
        fc.constantFrom('drop', 'double', 'upper', 'replace', 'swap'),
        (name, seed, slip) => {
          const at = seed % name.length
          const letter = name[at] ?? ''
          const next = name[at + 1] ?? ''
          const written = {
            drop: next,
            double: letter + letter + next,
            upper: letter.toUpperCase() + next,
            replace: `q${next}`,
            swap: next + letter,
          }
          const key = name.slice(0, at) + written[slip] + name.slice(at + 2)
          fc.pre(key !== name)
          expect(problemsOf({ settings: { ...settings, [key]: 1 } })).toEqual({
            [`settings.${key}`]: `unknown key, did you mean ${name}?`,
          })
        },
      ),
    )
  })
})
