import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/corpus.ts', import.meta.url))

interface Run {
  readonly code: number
  readonly lines: string[]
  readonly stderr: string
}

/** Runs the script in a process of its own. */
function run(...parameters: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...parameters], (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve({ code, lines: stdout.split('\n').filter(Boolean), stderr })
    })
  })
}

/** Runs the script over a file with this content. */
function runOver(content: unknown): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'reqtrack-corpus-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'corpus.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return run(file)
}

/** An item whose answers are right, unless told otherwise. */
function item(id: string, parts: object, confidence = 'high') {
  return { id, kind: 'test', headers: {}, confidence, source: 'made from the format', ...parts }
}

const oneTrust =
  'OptanonAlertBoxClosed=2026-01-02T03:04:05.000Z; OptanonConsent=isGpcEnabled=0&groups=C0001%3A1%2CC0002%3A1%2CC0004%3A0'

const right = [
  item('express', {
    headers: { 'x-forwarded-for': '198.51.100.1, 198.51.100.2' },
    auth: { socket: '10.0.0.1', expressTrustProxy: 1, express: { auth: { $fn: { userId: 'user_1' } } } },
    options: { anonymizeIp: true },
    expect: { userId: 'user_1', anonymousId: null, ip: '198.51.100.0' },
  }),
  item('koa', { auth: { koa: { state: { user: { id: 7 } } } }, expect: { userId: '7' } }),
  item('nobody', {
    auth: { express: { oidc: { isAuthenticated: { $fn: false }, user: { $undefined: true } } } },
    expect: { userId: null },
  }),
  item('anonymous', {
    headers: { cookie: '_ga=GA1.2.11.22; elbDeviceId=oy590rp5kwtqhx8n' },
    options: { anonymousIdFrom: 'ga' },
    expect: { anonymousId: '11.22', defaultAnonymousId: 'oy590rp5kwtqhx8n' },
  }),
  item('manager', {
    headers: { cookie: oneTrust, 'sec-gpc': '1' },
    expect: {
      cmp: 'onetrust',
      explicit: true,
      categories: { C0001: true, C0002: true, C0004: false },
      consent: { functional: true, analytics: true, marketing: false },
      gpc: true,
    },
  }),
  item('mapped', {
    headers: { cookie: 'klaro=%7B%22matomo%22%3Atrue%2C%22ads%22%3Afalse%7D' },
    options: { categoryMap: { matomo: 'analytics', ads: 'marketing' } },
    expect: { cmp: 'klaro', explicit: true, consent: { analytics: true, marketing: false } },
  }),
  item('told a version', {
    headers: { cookie: 'cc_cookie={"categories":["necessary","analytics"],"revision":1}' },
    options: { reader: { revision: 2 } },
    expect: { cmp: 'vanillaCookieConsent', consent: null },
  }),
  item('told a project', {
    headers: { cookie: 'ph_a_posthog={"$device_id":"a"}; ph_b_posthog={"$device_id":"b"}' },
    options: { anonymousIdFrom: 'posthog', reader: { project: 'b' } },
    expect: { anonymousId: 'b' },
  }),
  item('implied', {
    headers: {
      cookie: 'CookieConsent={stamp:%27-1%27%2Cnecessary:true%2Cstatistics:true%2Cmarketing:true}',
    },
    expect: { cmp: 'cookiebot', explicit: false, consent: null, implicit: { analytics: true } },
  }),
  item('purposes', {
    headers: { cookie: 'euconsent-v2=CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA' },
    expect: { cmp: 'tcf', tcfPurposes: [], consent: { analytics: false, marketing: false } },
  }),
  item('opaque', { headers: { cookie: 'osano_consentmanager=x' }, expect: { cmp: 'osano', consent: null } }),
  item('context', {
    headers: {
      'accept-language': 'fr-CH, fr;q=0.9',
      'sec-purpose': 'prefetch',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    },
    auth: { url: 'https://shop.example.com/shoes?token=t&utm_campaign=c&utm_id=9&GCLID=1' },
    expect: {
      locale: 'fr-CH',
      trace: '0af7651916cd43dd8448eb211c80319c',
      parentSpan: 'b7ad6b7169203331',
      bot: true,
      prefetch: true,
      pageUrl: 'https://shop.example.com/shoes?utm_campaign=c&utm_id=9',
      marketing: { campaign: 'c', gclid: '1', clickId: 'gclid', platform: 'google' },
    },
  }),
  item('hostile', {
    headers: { cookie: '__proto__=x; CookieConsent=%7B%22__proto__%22%3A%7B%22polluted%22%3A1%7D%7D' },
    expect: { prototypePolluted: false, maxMs: 1_000 },
  }),
  item('policy', { auth: { express: { user: { id: 1 } } }, expect: { userId: 'another' } }, 'low'),
]

describe('npm run corpus', () => {
  it('prints a summary alone where every answer is right, and leaves low confidence out', async () => {
    const { code, lines, stderr } = await runOver(right)
    expect(stderr).toBe('')
    expect(lines).toEqual([
      '14 items: 13 checked, 1 of low confidence not checked, 0 differ; 0 unknown fields',
    ])
    expect(code).toBe(0)
  })

  const answers = right
    .filter(({ confidence }) => confidence !== 'low')
    .flatMap((given) => Object.entries(expectOf(given)).map(([field, value]) => ({ given, field, value })))

  it('prints a line for each answer that is wrong', async () => {
    const wrong = answers.map(({ given, field, value }) => ({
      ...given,
      id: `${given.id} ${field}`,
      confidence: 'medium',
      expect: { ...expectOf(given), [field]: anotherThan(value) },
    }))
    const { code, lines } = await runOver([...right, ...wrong])
    expect(lines.slice(0, -1).map((line) => line.split(': ')[0])).toEqual(wrong.map(({ id }) => id))
    expect(lines.at(-1)).toContain(`${wrong.length} differ; 0 unknown fields`)
    expect(lines).toContain('koa userId: userId is "7", expected "another"')
    expect(code).toBe(1)
  })

  it('prints a line for each field that it does not know, of any confidence', async () => {
    const { code, lines } = await runOver([
      item('a', {
        colour: 'red',
        auth: { proxy: 1, express: { user: { $later: 1 } } },
        options: { mode: 'x' },
        expect: { userId: null },
      }),
      item('b', { expect: { deviceId: null } }, 'low'),
      item('c', { expect: { deviceId: 'x' } }),
    ])
    expect(lines.slice(0, -1)).toEqual([
      'unknown field colour (items: 1)',
      'unknown field auth.proxy (items: 1)',
      'unknown field options.mode (items: 1)',
      'unknown field auth.express.user.$later (items: 1)',
      'unknown field expect.deviceId (items: 2)',
    ])
    expect(lines.at(-1)).toContain('0 differ; 5 unknown fields')
    expect(code).toBe(1)
  })

  it('prints a line for each item that cannot be checked', async () => {
    const { code, lines } = await runOver([
      item('confidence', { expect: {} }, 'quite'),
      item('manager', { expect: { cmp: 'nobodys', consent: null } }),
      item('reader', { options: { anonymousIdFrom: 'nowhere' }, expect: { anonymousId: null } }),
      item('map', { options: { categoryMap: { a: 1 } }, expect: { cmp: 'klaro', consent: null } }),
      item('ip', { options: { anonymizeIp: 'some' }, expect: { ip: null } }),
      item('headers', { headers: { accept: 1 }, expect: {} }),
      'text',
    ])
    expect(lines.slice(0, -1)).toEqual([
      'confidence: confidence is "quite", expected one of high, medium, low',
      expect.stringContaining('manager: cmp could not be read: no reader for the consent manager "nobodys"'),
      'reader: anonymousId could not be read: no reader for anonymousIdFrom "nowhere"',
      'map: consent could not be read: options.categoryMap is not an object of strings',
      'ip: ip could not be read: options.anonymizeIp is neither true nor false',
      'headers: headers is not an object of strings',
      'item 6 is not an object',
    ])
    expect(code).toBe(1)
  })

  it('says what it needs where it cannot begin', async () => {
    const runs = await Promise.all([run(), run('/nowhere.json'), runOver('{'), runOver({})])
    expect(runs.map(({ code }) => code)).toEqual([2, 2, 2, 2])
    expect(runs.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining('npm run corpus -- FILE'),
      expect.stringContaining('/nowhere.json cannot be read: ENOENT'),
      expect.stringContaining('cannot be read'),
      expect.stringContaining('expected a JSON array'),
    ])
    const help = await run('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.lines.join('\n')).toContain('segmentCookie() and then walkerOSCookies()')
  })
})

function expectOf(given: object): Record<string, unknown> {
  return 'expect' in given && typeof given.expect === 'object' ? { ...given.expect } : {}
}

/** An answer that is wrong wherever this one is right. */
function anotherThan(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return -1
  if (Array.isArray(value)) return [...value, 24]
  if (typeof value !== 'object' || value === null) return 'another'
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, anotherThan(member)]))
}
