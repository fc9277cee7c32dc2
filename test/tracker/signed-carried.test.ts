import { timingSafeEqual } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Carried, type ResumeOptions, signCarried } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { startChild } from '../shutdown/child.js'
import { requestsOf, visitor } from '../support/servers.js'

vi.mock('node:crypto', async (load) => {
  const crypto = await load<typeof import('node:crypto')>()
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) }
})

const SECRET = 'a secret of the shop'
const carried: Carried = {
  v: 1,
  at: Date.now(),
  userId: 'u-1',
  anonymousId: 'a-1',
  consent: { analytics: true, marketing: false },
  trace: '0af7651916cd43dd8448eb211c80319c',
}

/** Who a text is from, and what was told if it is from nobody. */
function opened(text: unknown, options: ResumeOptions = { secret: SECRET }) {
  const errors: string[] = []
  const lines: string[] = []
  const tracking = recordTracking({
    logger: { handler: (_level, message) => lines.push(message) },
    on: { error: (error) => errors.push(String(error)) },
  })
  const carried = tracking.resume(text, (tracker) => tracker.carry(), options)
  return { carried, errors, lines }
}

describe('what signCarried() signs', () => {
  it('comes back whole', () => {
    const whole: Carried = {
      ...carried,
      userId: 'Ünïcode "quoted" \\ 名前 🙂 . {}',
      context: { ip: '203.0.113.7', page: { path: '/a.b' } },
    }
    const { carried: back, errors } = opened(signCarried(whole, SECRET))
    expect(back).toEqual(whole)
    expect(errors).toEqual([])
  })

  it('is one text that others can read, such as a value of a payment’s metadata', () => {
    const text = signCarried(carried, SECRET)
    expect(text).toContain('u-1')
    expect(text).not.toContain(SECRET)
    expect(text).toMatch(/^[\x20-\x7e]+$/)
  })

  it('comes back from a text of a request: the visitor’s session goes on', async () => {
    const tracking = recordTracking({
      consent: { analytics: true },
      request: { consent: () => ({ analytics: true }) },
    })
    const inRequest = await requestsOf(tracking)
    let metadata = ''
    await inRequest((tracker) => {
      metadata = JSON.stringify({ carried: signCarried(tracker.carry({ context: false }), SECRET) })
    }, visitor('a-1'))
    tracking.resume(JSON.parse(metadata).carried, (tracker) => tracker.track('order pay'), { secret: SECRET })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'order pay', anonymousId: 'a-1' }])
  })

  it('has at most 500 characters for ids of up to 64 and eight consent keys', () => {
    const id = fc.string({ unit: fc.constantFrom(...'abcXYZ0189-_.:@/|+=ä名'), minLength: 1, maxLength: 64 })
    const key = fc.string({ unit: fc.constantFrom(...'abcXYZ0189-_'), minLength: 1, maxLength: 25 })
    const consent = fc.dictionary(key, fc.boolean(), { maxKeys: 8 })
    fc.assert(
      fc.property(id, id, consent, (userId, anonymousId, consent) => {
        expect(signCarried({ ...carried, userId, anonymousId, consent }, SECRET).length).toBeLessThanOrEqual(
          500,
        )
      }),
    )
    const longest = {
      ...carried,
      userId: 'u'.repeat(64),
      anonymousId: 'a'.repeat(64),
      consent: Object.fromEntries(
        Array.from({ length: 8 }, (_, n) => [`functionality_storage_${n}`, n % 2 === 0]),
      ),
    }
    expect(signCarried(longest, SECRET).length).toBeLessThanOrEqual(500)
  })

  it('is given whole where it is longer, refusals included, and the process warns once', async () => {
    const child = startChild(fileURLToPath(new URL('fixtures/sign-long.ts', import.meta.url)), {})
    expect(await child.exited).toMatchObject({ code: 0 })
    const warnings = child.stderr().match(/REQTRACK_CARRIED_LENGTH/g)
    expect(warnings).toHaveLength(1)
    expect(child.stderr()).toMatch(/signCarried\(\) gave \d{3,4} characters, more than the 500/)
    expect(child.stderr()).not.toContain('u-u-')
  })

  it.each<[string, unknown, unknown, RegExp]>([
    ['no secret', carried, undefined, /given undefined as secret: expected a non-empty string/],
    ['an empty secret', carried, '', /given an empty string as secret/],
    ['nothing', undefined, SECRET, /given undefined: expected what tracker\.carry\(\) gives/],
    [
      'a promise: carry({ wait: true }) that nobody awaited',
      Promise.resolve(carried),
      SECRET,
      /expected what tracker\.carry\(\) gives/,
    ],
    ['a text as consent', { ...carried, consent: 'x'.repeat(100_000) }, SECRET, /a string as consent/],
    ['another object', { v: 2 }, SECRET, /expected what tracker\.carry\(\) gives/],
  ])('is refused with a TypeError: %s', (_what, value, secret, message) => {
    const call = () => Reflect.apply(signCarried, undefined, [value, secret])
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
  })
})

describe('a text that is wrongly signed', () => {
  const text = signCarried(carried, SECRET)
  const dot = text.lastIndexOf('.')

  function expectNobody(
    given: unknown,
    options?: ResumeOptions,
    message = /signature of what was carried is wrong/,
  ) {
    const { carried, errors, lines } = opened(given, options)
    expect(carried).toEqual({ v: 1, at: expect.any(Number), consent: {}, trace: expect.any(String) })
    expect(errors).toEqual([expect.stringMatching(message)])
    expect(lines).toHaveLength(1)
    expect(errors.join() + lines.join()).not.toMatch(/u-1|a-1|of the shop/)
  }

  it('by one bit of anything in it', () => {
    for (let at = 0; at < text.length; at++) {
      for (const bit of [1, 2, 4, 8, 16, 32]) {
        const changed =
          text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1)
        if (changed === text) continue
        const { carried, errors } = opened(changed)
        expect([carried.userId, carried.anonymousId, errors.length]).toEqual([undefined, undefined, 1])
      }
    }
  })

  it.each<[string, unknown]>([
    ['without its signature', text.slice(0, dot)],
    ['with an empty one', text.slice(0, dot + 1)],
    ['with half of one', text.slice(0, -20)],
    ['with more than one', `${text}${text.slice(dot)}`],
    ['with padding', `${text}=`],
    ['with a character past the end', `${text}A`],
    ['signed by somebody else', signCarried(carried, 'another secret')],
    [
      'with a signature of other characters',
      `${text.slice(0, dot)}.${text.slice(dot + 1).replace(/[-_]/g, '+')}!`,
    ],
    ['only a signature', text.slice(dot)],
    ['nothing', ''],
    ['a dot', '.'],
    ['a prefix in front', `x${text}`],
    [
      'a half of a character in place of another',
      signCarried({ ...carried, userId: '\ufffd' }, SECRET).replace('\ufffd', '\ud800'),
    ],
  ])('is from nobody: %s', (_what, given) => expectNobody(given))

  it('is from nobody: a megabyte, which is not looked at', () => {
    expectNobody(
      `${'x'.repeat(1024 * 1024)}${text.slice(dot)}`,
      undefined,
      /larger than anything that signCarried/,
    )
  })

  it('is from nobody: an object, though the secret is known to whoever gives it', () => {
    expectNobody(carried, undefined, /is not signed, and a secret is given/)
    expectNobody({ toString: () => text }, undefined, /is not signed/)
  })

  it('is from nobody: signed, but not what carry() gives', () => {
    const forged = signCarried(JSON.parse('{"v":1,"at":"now","userId":"u-1"}'), SECRET)
    expectNobody(forged, undefined, /has no time/)
    const mistyped = signCarried(JSON.parse(`{"v":1,"at":1,"userId":{"id":"u-1"}}`), SECRET)
    expectNobody(mistyped, undefined, /userId of what was carried is no id/)
  })
})

describe('several secrets', () => {
  it('let one be replaced by another', () => {
    const [before, after] = [signCarried(carried, 'old'), signCarried(carried, 'new')]
    const who = (text: string, secret: string | string[]) => opened(text, { secret }).carried.userId
    expect(who(before, ['new', 'old'])).toBe('u-1')
    expect(who(after, ['new', 'old'])).toBe('u-1')
    expect(who(after, 'new')).toBe('u-1')
    expect(who(before, ['new'])).toBeUndefined()
  })
})

describe('the comparison', () => {
  it('takes constant time, and is made with every secret, whichever is right', () => {
    for (const secret of [
      ['one', 'two', 'three'],
      ['three', 'two', 'one'],
      ['two', 'three'],
    ]) {
      vi.mocked(timingSafeEqual).mockClear()
      opened(signCarried(carried, 'one'), { secret })
      expect(timingSafeEqual).toHaveBeenCalledTimes(secret.length)
    }
  })
})
