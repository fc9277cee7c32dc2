import type { RequestListener } from 'node:http'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { fastifyTracking } from '../../src/frameworks/fastify.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import {
  cookiebot,
  createTracking,
  globalPrivacyControl,
  oneTrust,
  type TrackingConfig,
} from '../../src/index.js'
import { requestsOf, segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

type Config = Parameters<typeof trackingTo>[1] & object

/** A tracking whose lines of the log are kept: level, message, context. */
async function watched(config: Config = {}) {
  const lines: string[] = []
  const tracking = trackingTo(await segmentServer(), {
    ...config,
    logger: {
      ...config.logger,
      handler: (level, message, context) => lines.push(`${level} ${message} ${JSON.stringify(context)}`),
    },
  })
  const inRequest = await requestsOf(tracking)
  const track = async (name: string, headers?: Record<string, string>) => {
    await inRequest((tracker) => tracker.track(name, { email: 'Secret' }), headers)
    await tracking.flush()
  }
  return { lines, tracking, inRequest, track }
}

const SOMEBODY = visitor('Secret')
const WARN = '1 '

function expectOnly(lines: readonly string[], code: string) {
  expect(lines).toHaveLength(1)
  const [line = ''] = lines
  expect(line.startsWith(WARN)).toBe(true)
  expect(line).toContain(`[${code}: see docs/self-check.md#${code.toLowerCase()}]`)
  expect(line).toContain(`{"code":"${code}"}`)
  expect(line).not.toContain('Secret')
  return line
}

describe('consent that no reader can grant', () => {
  const needs: Record<string, Config> = {
    'the config': { consent: { analytics: true } },
    'a rule': { mapping: { order: { complete: { consent: { analytics: true } } } } },
    'the config, beside an opt-out that was named': {
      consent: { analytics: true },
      request: { consent: globalPrivacyControl() },
    },
  }
  it.each(Object.keys(needs))('is told once where %s requires it', async (where) => {
    const { lines, track, tracking } = await watched(needs[where])
    await track('order complete', SOMEBODY)
    await track('order complete', SOMEBODY)
    expect(tracking.stats().events.dropped.consent).toBe(2)
    expect(expectOnly(lines, 'REQTRACK_NO_CONSENT_READER')).toContain('analytics')
  })

  it('is told once where the calls carry it', async () => {
    const { lines, track } = await watched({ settings: { consent: { marketing: 'Advertising' } } })
    await track('order complete', SOMEBODY)
    await track('order complete', SOMEBODY)
    expect(expectOnly(lines, 'REQTRACK_NO_CONSENT_READER')).toContain('settings.consent')
  })

  it('is told in development in place of the hint', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { lines, track } = await watched({ consent: { analytics: true } })
    await track('order complete', SOMEBODY)
    expectOnly(lines, 'REQTRACK_NO_CONSENT_READER')
  })

  it.each<[string, Config]>([
    ['nothing requires any', {}],
    ['a reader could grant it', { consent: { analytics: true }, request: { consent: cookiebot() } }],
    ['tracking is off', { consent: { analytics: true }, disabled: true }],
  ])('is not told where %s', async (_, config) => {
    const { lines, track } = await watched(config)
    await track('order complete', SOMEBODY)
    expect(lines).toEqual([])
  })

  it('is not told where handlers say what visitors chose, of runs, and of who refuses', async () => {
    const { lines, inRequest, tracking } = await watched({ consent: { marketing: true } })
    await inRequest((tracker) => tracker.track('refused'), { ...SOMEBODY, 'sec-gpc': '1' })
    tracking.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('in a job'))
    await tracking.flush()
    await inRequest((tracker) => {
      tracker.consent({ marketing: true })
      tracker.track('agreed')
    }, SOMEBODY)
    await tracking.flush()
    await inRequest((tracker) => tracker.track('unknown'), SOMEBODY)
    await tracking.flush()
    expect(tracking.stats().events.dropped.consent).toBe(3)
    expect(lines).toEqual([])
  })
})

describe('a proxy that nobody trusts', () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.7' }
  const apps: Record<
    string,
    (tracking: ReturnType<typeof createTracking>, trusts: boolean) => Promise<RequestListener>
  > = {
    express: async (tracking, trusts) => {
      const app = express()
      if (trusts) app.set('trust proxy', 1)
      return app.use(expressTracking(tracking)).use((_req, res) => void res.send('ok'))
    },
    koa: async (tracking, trusts) => {
      const app = new Koa({ proxy: trusts })
      app.use(koaTracking(tracking)).use((ctx) => {
        ctx.body = 'ok'
      })
      return app.callback()
    },
    fastify: async (tracking, trusts) => {
      const app = Fastify({ trustProxy: trusts })
      await app.register(fastifyTracking, { tracking, shutdown: false })
      app.get('/', async () => 'ok')
      await app.ready()
      onTestFinished(() => app.close())
      return app.routing
    },
    'plain Node': async (tracking, trusts) => (req, res) => {
      tracking.handle(req, res, trusts ? { trustProxy: 1 } : {})
      res.end('ok')
    },
  }

  it.each(Object.keys(apps))(
    'is told once by %s, and not where one is trusted or there is none',
    async (name) => {
      for (const trusts of [false, true]) {
        const { lines, tracking } = await watched()
        const { url } = await serve((await apps[name]?.(tracking, trusts)) ?? (() => {}))
        await fetch(url)
        expect(lines).toEqual([])
        await fetch(url, { headers: forwarded })
        await fetch(url, { headers: forwarded })
        if (trusts) expect(lines).toEqual([])
        else expect(expectOnly(lines, 'REQTRACK_NO_TRUST_PROXY')).not.toContain('203.0.113.7')
      }
    },
  )

  it('is not told where calls carry no context, and needs no setting that can be read', async () => {
    const { lines, inRequest } = await watched({ request: { context: false } })
    await inRequest(() => {}, forwarded)
    expect(lines).toEqual([])
  })
})

describe('a reader whose answer cannot be used', () => {
  const objectId = { toHexString: () => 'Secret' }
  it.each<[string, Config['request'], string]>([
    ['a function as userId', { userId: () => oneTrust as never }, 'a function'],
    ['the promise of a reader as userId', { userId: async () => (() => 'Secret') as never }, 'a function'],
    ['an object as userId', { userId: () => objectId as never }, 'an object'],
    ['a list as anonymousId', { anonymousId: () => ['Secret'] as never }, 'a list'],
    ['a reader as consent', { consent: () => oneTrust() as never }, 'a function'],
    ['the promise of a reader as consent', { consent: async () => oneTrust() as never }, 'a function'],
    ['text as consent', { consent: () => 'Secret' as never }, 'a string'],
    ['a list as consent', { consent: () => ['Secret'] as never }, 'a list'],
    ['words as choices', { consent: () => ({ analytics: 'Secret' }) as never }, 'nothing is true or false'],
    ['text as the person', { user: () => 'Secret' as never }, 'a string'],
    ['a function as skip', { skip: () => (() => true) as never }, 'a function'],
  ])('is told once: %s', async (_, request, given) => {
    const { lines, track, tracking } = await watched({ request: request ?? {} })
    await track('order complete', SOMEBODY)
    await track('order complete', SOMEBODY)
    expect(expectOnly(lines, 'REQTRACK_READER_ANSWER')).toContain(given)
    expect(tracking.stats().events.tracked).toBe(2)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['an empty string', ''],
  ])('is not told of %s, by which a reader says that it has none', async (_, answer) => {
    const none = () => answer as never
    const { lines, track } = await watched({
      request: { userId: none, anonymousId: none, consent: none, user: none, skip: none },
    })
    await track('order complete', SOMEBODY)
    expect(lines).toEqual([])
  })

  it('is not told of choices that are not made yet', async () => {
    const { lines, track } = await watched({
      request: { consent: [() => ({}), () => ({ analytics: undefined }) as never] },
    })
    await track('order complete', SOMEBODY)
    expect(lines).toEqual([])
  })
})

describe('a hundred events of nobody', () => {
  it('are told once', async () => {
    const { lines, inRequest, tracking } = await watched()
    const trackMany = async (count: number) => {
      await inRequest((tracker) => {
        for (let each = 0; each < count; each++) tracker.track('order complete', { email: 'Secret' })
      })
      await tracking.flush()
    }
    await trackMany(99)
    expect(lines).toEqual([])
    await trackMany(101)
    expect(expectOnly(lines, 'REQTRACK_NO_IDENTITY')).toContain('100')
  })

  it('are not told if one of them had an identity, even one that another reason dropped', async () => {
    const { lines, inRequest, tracking } = await watched({ mapping: { page: { view: { ignore: true } } } })
    await inRequest((tracker) => tracker.track('page view'), SOMEBODY)
    await inRequest((tracker) => {
      for (let each = 0; each < 200; each++) tracker.track('order complete')
    })
    await tracking.flush()
    expect(lines).toEqual([])
  })
})

describe('a mapping rule that nothing matches', () => {
  async function afterThousand(mapping: TrackingConfig['mapping'], ...names: string[]) {
    const { lines, tracking } = await watched({ mapping })
    tracking.run({ user: { id: 'Secret' } }, (tracker) => {
      for (const name of names) tracker.track(name)
      for (let each = names.length; each < 1_000; each++) tracker.track('page view')
    })
    await tracking.flush()
    return lines
  }

  it.each([
    ['orders complete', 'a letter too many'],
    ['oder complete', 'a letter that is missing'],
    ['odrer complete', 'swapped letters'],
    ['Order Complete', 'case'],
    ['order_complete', 'another separator'],
  ])('is told once beside %s: %s', async (name) => {
    const lines = await afterThousand({ order: { complete: { name: 'Order Completed' } } }, name)
    const line = expectOnly(lines, 'REQTRACK_UNMATCHED_RULE')
    expect(line).toContain('"order complete"')
    expect(line).toContain(`"${name}"`)
  })

  it('is told of a rule for a single word, too', async () => {
    const lines = await afterThousand({ Subscribed: { '*': { name: 'Newsletter' } } }, 'subscribed')
    expect(expectOnly(lines, 'REQTRACK_UNMATCHED_RULE')).toContain('"subscribed"')
  })

  it.each<[string, TrackingConfig['mapping'], ...string[]]>([
    ['it matched once', { order: { complete: {} } }, 'order complete', 'orders complete'],
    ['nothing is like it', { order: { complete: {} } }, 'product view'],
    ['what is like it has a rule', { order: { view: {}, views: {} } }, 'order views'],
    ['it is for every action', { order: { '*': {} } }, 'order complete'],
  ])('is not told where %s', async (_, mapping, ...names) => {
    expect(await afterThousand(mapping, ...names)).toEqual([])
  })
})

describe('a tracking that is made for a request', () => {
  it('is told by the one that was made', async () => {
    const { tracking } = await watched()
    const lines: string[] = []
    const { url } = await serve(express().use(expressTracking(tracking)).use(handle))
    await fetch(url)

    async function handle(_req: unknown, res: express.Response) {
      await Promise.resolve()
      const made = createTracking({
        settings: { writeKey: 'Secret' },
        logger: {
          handler: (level, message, context) => lines.push(`${level} ${message} ${JSON.stringify(context)}`),
        },
      })
      await made.shutdown()
      res.send('ok')
    }
    expectOnly(lines, 'REQTRACK_CREATED_IN_HANDLER')
  })

  it('is told of the eleventh that is open for a write key, and not where others were shut down', async () => {
    const lines: string[] = []
    const make = (writeKey: string) =>
      createTracking({
        settings: { writeKey },
        logger: {
          handler: (level, message, context) => lines.push(`${level} ${message} ${JSON.stringify(context)}`),
        },
      })
    for (let each = 0; each < 30; each++) await make('Secret of one').shutdown()
    const open = Array.from({ length: 10 }, () => make('Secret of one'))
    const others = Array.from({ length: 20 }, (_, each) => make(`Secret ${each}`))
    expect(lines).toEqual([])
    open.push(make('Secret of one'))
    await Promise.all([...open, ...others].map((each) => each.shutdown()))
    expect(
      expectOnly(
        lines.filter((line) => line.startsWith(WARN)),
        'REQTRACK_CREATED_IN_HANDLER',
      ),
    ).toContain('11')
  })
})

describe('validate', () => {
  it.each<[string, Config['validate']]>([
    ['false', false],
    ['its code', { REQTRACK_NO_CONSENT_READER: false }],
  ])('turns a check off by %s', async (_, validate) => {
    const { lines, track } = await watched({ consent: { analytics: true }, validate })
    await track('order complete', SOMEBODY)
    expect(lines).toEqual([])
  })

  it('leaves the other checks on', async () => {
    const { lines, track } = await watched({
      consent: { analytics: true },
      validate: { REQTRACK_NO_IDENTITY: false },
    })
    await track('order complete', SOMEBODY)
    expectOnly(lines, 'REQTRACK_NO_CONSENT_READER')
  })

  it('takes no code that there is none of', () => {
    const config = { settings: { writeKey: 'k' }, validate: { REQTRACK_NO_TRUST_PROXIES: false } }
    expect(() => createTracking(config as never)).toThrow(/did you mean REQTRACK_NO_TRUST_PROXY\?/)
  })

  it('is heard on the console by default, and not where errors only are asked for', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    for (const level of [undefined, 'ERROR'] as const) {
      const tracking = trackingTo(await segmentServer(), {
        consent: { analytics: true },
        logger: level ? { level } : {},
      })
      const inRequest = await requestsOf(tracking)
      await inRequest((tracker) => tracker.track('order complete'), SOMEBODY)
      await tracking.flush()
      expect(warn).toHaveBeenCalledTimes(1)
    }
  })

  it('costs no event where the log throws', async () => {
    const tracking = trackingTo(await segmentServer(), {
      settings: { consent: { marketing: 'Advertising' } },
      logger: {
        handler: () => {
          throw new Error('full')
        },
      },
    })
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('order complete'), {
      ...SOMEBODY,
      'x-forwarded-for': '203.0.113.7',
    })
    await tracking.flush()
    expect(tracking.stats().calls.delivered).toBe(1)
  })
})
