import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Carried, type ResumeOptions, signCarried, type Tracker } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'

const DAY = 24 * 60 * 60 * 1_000
const TRACE = '0af7651916cd43dd8448eb211c80319c'

function carriedNow(more: Partial<Carried> = {}): Carried {
  return {
    v: 1,
    at: Date.now(),
    userId: 'u-1',
    anonymousId: 'a-1',
    consent: { analytics: true, marketing: false },
    trace: TRACE,
    context: { ip: '203.0.113.7', userAgent: 'agent 7' },
    ...more,
  }
}

function recorded() {
  const lines: string[] = []
  const errors: unknown[] = []
  const tracking = recordTracking({
    consent: { analytics: true },
    settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    logger: { handler: (_level, message) => lines.push(message) },
    on: { error: (error) => errors.push(error) },
  })
  return { tracking, lines, errors }
}

/** What a resumed run comes to: who it was, and the one event that it tracked. */
async function resumed(carried: unknown, options?: ResumeOptions) {
  const { tracking, errors } = recorded()
  const identity = tracking.resume(
    carried,
    (tracker) => {
      tracker.track('invoice send')
      return tracker.identity
    },
    options,
  )
  await tracking.settled()
  const [event] = tracking.events
  return { identity, calls: tracking.calls, consent: event?.consent, errors: errors.map(String), event }
}

describe('resume()', () => {
  it('goes on with the person, their choices, their trace and their context', async () => {
    const { identity, calls, event, errors } = await resumed(carriedNow())
    expect(identity).toEqual({ userId: 'u-1', anonymousId: 'a-1' })
    expect(calls).toMatchObject([
      {
        event: 'invoice send',
        userId: 'u-1',
        anonymousId: 'a-1',
        context: {
          ip: '203.0.113.7',
          userAgent: 'agent 7',
          consent: { categoryPreferences: { Analytics: true, Advertising: false } },
        },
      },
    ])
    expect(event).toMatchObject({ source: { trace: TRACE } })
    expect(errors).toEqual([])
  })

  it('gives what the work gives, and throws what it throws', async () => {
    const { tracking } = recorded()
    expect(tracking.resume(carriedNow(), () => 'done')).toBe('done')
    await expect(tracking.resume(carriedNow(), async () => 'done')).resolves.toBe('done')
    const error = new Error('broken')
    const fail = () => {
      throw error
    }
    expect(() => tracking.resume(carriedNow(), fail)).toThrow(error)
    expect(() => tracking.resume('nonsense', fail)).toThrow(error)
  })

  it('takes what several processes’ clocks disagree about: some minutes of the future', async () => {
    expect((await resumed(carriedNow({ at: Date.now() + 60_000 }))).consent).toMatchObject({
      analytics: true,
    })
    expect((await resumed(carriedNow({ at: Date.now() + DAY }))).consent).toEqual({ marketing: false })
  })

  it('goes on with a person whose choices nobody knew', async () => {
    const { identity, consent, errors } = await resumed({ v: 1, at: Date.now(), userId: 'u-1' })
    expect({ identity, consent, errors }).toEqual({ identity: { userId: 'u-1' }, consent: {}, errors: [] })
  })
})

describe('the age of choices', () => {
  it.each<[string, number, ResumeOptions | undefined, Record<string, boolean>]>([
    ['a grant of yesterday holds', 1, undefined, { analytics: true, marketing: false }],
    ['one of a week ago is unknown, a refusal stays', 7.001, undefined, { marketing: false }],
    ['a refusal of ten years ago stays', 3_650, undefined, { marketing: false }],
    ['with a maxAge of their own', 2, { maxAge: DAY }, { marketing: false }],
    [
      'with one that never ends',
      3_650,
      { maxAge: Number.POSITIVE_INFINITY },
      { analytics: true, marketing: false },
    ],
    [
      'present choices lie over old ones',
      30,
      { consent: { analytics: true } },
      { analytics: true, marketing: false },
    ],
    [
      'present choices take back',
      0,
      { consent: { analytics: false } },
      { analytics: false, marketing: false },
    ],
    ['present choices free', 0, { consent: { marketing: true } }, { analytics: true, marketing: true }],
  ])('%s', async (_what, days, options, consent) => {
    const { identity, ...run } = await resumed(carriedNow({ at: Date.now() - days * DAY }), options)
    expect(run.consent).toEqual(consent)
    expect(run.errors).toEqual([])
    expect(identity).toEqual({ userId: 'u-1', anonymousId: 'a-1' })
    expect(run.calls).toHaveLength(consent.analytics ? 1 : 0)
  })
})

describe('options that cannot work', () => {
  it.each<[string, unknown, RegExp]>([
    ['no object', 'secret', /resume\(\) was given options: a string; expected an object/],
    [
      'a consent of strings',
      { consent: { analytics: 'yes' } },
      /consent\.analytics: a string; expected true or false/,
    ],
    ['a consent that is none', { consent: true }, /consent: a boolean/],
    ['a negative age', { maxAge: -1 }, /maxAge: a number; expected milliseconds/],
    ['an age that is no number', { maxAge: '7d' }, /maxAge: a string/],
    ['an age that is not a number', { maxAge: Number.NaN }, /maxAge/],
    ['an empty secret', { secret: '' }, /secret: an empty string; expected a non-empty string/],
    ['no secrets', { secret: [] }, /secret/],
    [
      'a list of secrets that has a length and nothing else',
      { secret: Object.assign([], { length: 4e9 }) },
      /secret/,
    ],
    ['an empty secret among others', { secret: ['one', ''] }, /secret/],
  ])('are refused with a TypeError that quotes nothing: %s', (_what, options, message) => {
    const work = vi.fn()
    const call = () => Reflect.apply(recorded().tracking.resume, undefined, [carriedNow(), work, options])
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
    expect(work).not.toHaveBeenCalled()
  })
})

const circular: Record<string, unknown> = { v: 1, at: Date.now(), userId: 'u-1' }
circular.context = { circular }

describe('what nobody carried', () => {
  const throwing = (): never => {
    throw new Error('read')
  }
  const hostile: [string, unknown, RegExp][] = [
    ['nothing', undefined, /is undefined: expected what carry\(\) gave/],
    ['null', null, /is null/],
    ['a number', 42, /is a number/],
    ['a list', [carriedNow()], /is an array/],
    ['an empty object', {}, /version/],
    [
      'a foreign version',
      carriedNow({ v: JSON.parse('2') }),
      /has a version that this release does not know/,
    ],
    ['a version as text', { ...carriedNow(), v: '1' }, /version/],
    ['no time', { ...carriedNow(), at: undefined }, /has no time/],
    ['a time as text', { ...carriedNow(), at: '2026-01-01' }, /has no time/],
    ['an infinite time', { ...carriedNow(), at: Number.POSITIVE_INFINITY }, /has no time/],
    [
      'an id that is an object',
      { ...carriedNow(), userId: { $ne: null } },
      /the userId of what was carried is no id/,
    ],
    [
      'an id that is a list',
      { ...carriedNow(), anonymousId: ['a-1'] },
      /the anonymousId of what was carried is no id/,
    ],
    ['an id that is a number', { ...carriedNow(), userId: 42 }, /the userId of what was carried is no id/],
    ['an empty id', { ...carriedNow(), userId: '' }, /the userId of what was carried is no id/],
    ['null as id', { ...carriedNow(), userId: null }, /the userId of what was carried is no id/],
    [
      'choices of text',
      { ...carriedNow(), consent: { analytics: 'true' } },
      /choices that are neither true nor false/,
    ],
    ['choices of numbers', { ...carriedNow(), consent: { analytics: 1 } }, /choices/],
    ['a list of choices', { ...carriedNow(), consent: ['analytics'] }, /a consent state that is none/],
    ['a text as choices', { ...carriedNow(), consent: 'analytics' }, /a consent state that is none/],
    ['a text as context', { ...carriedNow(), context: 'server' }, /a context that is no object/],
    ['a megabyte', { ...carriedNow(), context: { text: 'x'.repeat(1024 * 1024) } }, /larger than anything/],
    [
      'a megabyte of members',
      {
        ...carriedNow(),
        consent: Object.fromEntries(Array.from({ length: 100_000 }, (_, key) => [key, true])),
      },
      /larger than anything/,
    ],
    [
      'members that throw',
      Object.defineProperty(carriedNow(), 'consent', { enumerable: true, get: throwing }),
      /cannot be read/,
    ],
    ['a circle', circular, /cannot be read/],
    [
      'a proxy that throws',
      new Proxy({}, { ownKeys: throwing, get: throwing, getPrototypeOf: throwing }),
      /carried/,
    ],
    ['the prototype of another object', Object.create(carriedNow()), /version/],
    ['a prototype in JSON', JSON.parse('{"__proto__":{"v":1,"at":1,"userId":"u-1"}}'), /version/],
    ['a text', 'v1', /is a text, and no secret is given/],
    ['its own JSON as text', JSON.stringify(carriedNow()), /is a text, and no secret is given/],
    [
      'signed, and no secret is given',
      signCarried(carriedNow(), 'secret'),
      /is a text, and no secret is given/,
    ],
  ]

  it.each(hostile)('is a run by nobody, told once: %s', async (_what, carried, message) => {
    const { tracking, lines, errors } = recorded()
    const run = tracking.resume(carried, (tracker) => {
      tracker.track('invoice send')
      tracker.track('invoice send')
      return tracker.carry()
    })
    await tracking.settled()
    expect(run).toEqual({ v: 1, at: expect.any(Number), consent: {}, trace: expect.any(String) })
    expect(run.trace).not.toBe(TRACE)
    expect(tracking.calls).toEqual([])
    expect(lines).toEqual([expect.stringMatching(/^resume\(\) goes on with nobody: .*what was carried/)])
    expect(errors).toEqual([expect.any(TypeError)])
    expect(String(errors[0])).toMatch(message)
    expect(lines.join() + String(errors[0])).not.toMatch(/u-1|a-1|203\.0|\$ne/)
  })

  it('pollutes no prototype, and takes nothing from one', async () => {
    const carried = JSON.parse(
      `{"v":1,"at":${Date.now()},"userId":"u-1","consent":{"__proto__":{"analytics":true},"constructor":true},
        "context":{"__proto__":{"polluted":1},"ip":"203.0.113.7"},"constructor":{"prototype":{"polluted":1}}}`,
    )
    const { consent, calls } = await resumed(carried, { consent: { analytics: true } })
    expect(Object.entries(consent ?? {})).toEqual([
      ['constructor', true],
      ['analytics', true],
    ])
    expect(calls).toMatchObject([{ context: { ip: '203.0.113.7' } }])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('still has the present choices that the job knows, and can be told who it is', async () => {
    const { tracking } = recorded()
    tracking.resume(
      'nonsense',
      (tracker) => {
        tracker.user({ id: 'u-2' })
        tracker.track('invoice send')
      },
      { consent: { analytics: true } },
    )
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'invoice send', userId: 'u-2' }])
  })

  it('brings no choices into the context past those that count, and no traits', async () => {
    const context = {
      consent: { categoryPreferences: { Advertising: true } },
      traits: { email: 'x' },
      ip: '203.0.113.7',
    }
    const { calls } = await resumed(carriedNow({ context }))
    expect(calls[0]?.context).toMatchObject({
      ip: '203.0.113.7',
      consent: { categoryPreferences: { Analytics: true, Advertising: false } },
    })
    expect(calls[0]?.context).not.toHaveProperty('traits')
  })

  it('leaves out a trace that is none, and nothing else', async () => {
    const { identity, event, errors } = await resumed(carriedNow({ trace: '<script>' }))
    expect([identity.userId, errors]).toEqual(['u-1', []])
    expect(event?.source.trace).toMatch(/^[\da-f]{32}$/)
  })

  it('whatever it is: never throws, never grants, and never is two people', () => {
    const { tracking } = recorded()
    const valid = carriedNow({ at: Date.now() })
    const broken = fc
      .record({
        member: fc.constantFrom(...Object.keys(valid), 'other'),
        value: fc.oneof(fc.jsonValue(), fc.anything({ withBigInt: true, withMap: true, withSet: true })),
      })
      .map(({ member, value }) => ({ ...valid, [member]: value }))
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.json(), broken), fc.boolean(), (carried, hasSecret) => {
        const check = (tracker: Tracker) => {
          const { consent, userId = 'u-1', anonymousId = 'a-1' } = tracker.carry({ context: false })
          return { consent, userId, anonymousId }
        }
        const run = tracking.resume(carried, check, hasSecret ? { secret: 'secret' } : {})
        if (hasSecret || typeof carried !== 'object') expect(run.consent).toEqual({})
        for (const granted of Object.values(run.consent ?? {})) expect(typeof granted).toBe('boolean')
        expect([typeof run.userId, typeof run.anonymousId]).toEqual(['string', 'string'])
      }),
      { numRuns: 500 },
    )
  })
})
