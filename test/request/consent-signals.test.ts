import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  globalPrivacyControl,
  gpp,
  isOptOut,
  oneTrust,
  optOut,
  tcf,
  usPrivacy,
} from '../../src/request/consent/index.js'
import { bitString, tcString } from './consent-formats.js'
import { requestWith } from './consent-request.js'

const refusesMarketing = { marketing: false }

describe('tcf', () => {
  const read = (string: string) => tcf()(requestWith(`euconsent-v2=${string}`))

  test('needs purposes 1, 8 and 9 for analytics, and 1, 3 and 4 for marketing', () => {
    const purposes = fc.uniqueArray(fc.integer({ min: 1, max: 24 }))
    fc.assert(
      fc.property(purposes, (given) => {
        const has = (...needed: number[]) => needed.every((purpose) => given.includes(purpose))
        expect(read(tcString(given))).toEqual({ analytics: has(1, 8, 9), marketing: has(1, 3, 4) })
      }),
    )
  })

  test('does not take legitimate interest for consent', () => {
    expect(read(tcString([], { legitimateInterests: 2 ** 24 - 1 }))).toEqual({
      analytics: false,
      marketing: false,
    })
  })

  test('takes other purposes for the keys where they are given', () => {
    const reader = tcf({ categories: { 7: 'marketing', 10: 'analytics', 2: 'marketing' } })
    expect(reader(requestWith(`euconsent-v2=${tcString([2, 7])}`))).toEqual({
      marketing: true,
      analytics: false,
    })
  })

  test('reads the first valid string of its cookies', () => {
    const cookie = `euconsent-v2=true; eupubconsent-v2=${tcString([1, 8, 9])}; site-tc=${tcString([])}`
    expect(tcf()(requestWith(cookie))).toEqual({ analytics: true, marketing: false })
    expect(tcf({ cookies: ['site-tc'] })(requestWith(cookie))).toEqual({ analytics: false, marketing: false })
  })

  test.each([
    ['version 1', tcString([1, 8, 9], { version: 1 })],
    ['a global string', tcString([1, 8, 9], { isServiceSpecific: 0 })],
    ['too short', tcString([1, 8, 9]).slice(0, 35)],
    ['another alphabet', `${tcString([1, 8, 9]).slice(0, 20)}+${tcString([1, 8, 9]).slice(21)}`],
    ['nonsense', 'CPtotally-invalid'],
  ])('does not know %s', (_, string) => {
    expect(read(string)).toBeUndefined()
  })

  test('reads the head of a string as long as a header can be', () => {
    expect(read(tcString([1, 8, 9]) + 'A'.repeat(15_000))).toEqual({ analytics: true, marketing: false })
  })
})

/** A number in Fibonacci coding: the sum of the weights 1, 2, 3, 5, ..., closed by a one. */
function fibonacci(value: number): string {
  const weights = [1, 2]
  while (value > (weights.at(-1) ?? 0)) weights.push((weights.at(-1) ?? 0) + (weights.at(-2) ?? 0))
  let rest = value
  let bits = ''
  for (const weight of weights.toReversed()) {
    const isIn = weight <= rest
    if (isIn) rest -= weight
    if (isIn || bits !== '') bits = `${isIn ? 1 : 0}${bits}`
  }
  return `${bits}1`
}

function toFields(bits: string): (readonly [number, number])[] {
  return [...bits].map((bit) => [Number(bit), 1] as const)
}

/** A GPP string whose header lists the sections in runs where their ids follow one another. */
function gppString(sections: ReadonlyMap<number, string>): string {
  const ids = [...sections.keys()].toSorted((a, b) => a - b)
  const runs: number[][] = []
  for (const id of ids) {
    const run = runs.at(-1)
    if (run?.at(-1) === id - 1) run.push(id)
    else runs.push([id])
  }
  let last = 0
  let bits = ''
  for (const run of runs) {
    const [first = 0] = run
    bits +=
      run.length > 1
        ? `1${fibonacci(first - last)}${fibonacci(run.length - 1)}`
        : `0${fibonacci(first - last)}`
    last = run.at(-1) ?? 0
  }
  const header = bitString([[3, 6], [1, 6], [runs.length, 12], ...toFields(bits)])
  return [header, ...ids.map((id) => sections.get(id))].join('~')
}

interface OptOuts {
  readonly sale?: number
  readonly sharing?: number
  readonly targetedAdvertising?: number
  readonly gpc?: number
}

/** The fields of a US section up to its opt-outs, by the specification of each, and its GPC segment. */
function usSection(id: number, { sale = 0, sharing = 0, targetedAdvertising = 0, gpc = 0 }: OptOuts): string {
  const notices = id === 7 ? 6 : id === 11 || id === 18 ? 4 : 3
  const optOuts =
    id === 7 ? [sale, sharing, targetedAdvertising] : [sale, id === 8 ? sharing : targetedAdvertising]
  // Maryland, Indiana, Kentucky and Rhode Island have the two fields about the MSPA before the notices.
  const mspa = id >= 24 ? [1, 2] : []
  const twoBits = [...mspa, ...Array<number>(notices).fill(1), ...optOuts, ...Array<number>(14).fill(2)]
  const core = bitString([[id === 7 ? 2 : 1, 6], ...twoBits.map((field) => [field, 2] as const)])
  const gpcSegment = bitString([
    [1, 2],
    [gpc, 1],
  ])
  return `${core}.${gpcSegment}`
}

describe('gpp', () => {
  const signals = { sale: 's', sharing: 'h', targetedAdvertising: 't', gpc: 'g' }
  const read = (string: string) => gpp({ categories: signals })(requestWith(`gpp=${string}; gpp_sid=7`))
  const optOutValue = fc.integer({ min: 0, max: 2 })

  test('finds the opt-outs of every US section, and nothing else', () => {
    const section = fc.record({
      sale: optOutValue,
      sharing: optOutValue,
      targetedAdvertising: optOutValue,
      gpc: fc.integer({ min: 0, max: 1 }),
    })
    const ids = fc.uniqueArray(fc.integer({ min: 7, max: 27 }), { maxLength: 8 })
    fc.assert(
      fc.property(ids, fc.array(section, { minLength: 8, maxLength: 8 }), (given, optOuts) => {
        const sections = new Map<number, string>([[2, tcString([1])]])
        const expected: Record<string, false> = {}
        for (const [index, id] of given.entries()) {
          const optOut: OptOuts = optOuts[index] ?? {}
          sections.set(id, usSection(id, optOut))
          if (optOut.sale === 1) expected.s = false
          if (optOut.sharing === 1 && (id === 7 || id === 8)) expected.h = false
          if (optOut.targetedAdvertising === 1 && id !== 8) expected.t = false
          // The other states' second segment holds consents to sensitive data.
          if (optOut.gpc === 1 && id < 25) expected.g = false
        }
        const answer = Object.keys(expected).length > 0 ? expected : undefined
        expect(read(gppString(sections))).toEqual(answer)
      }),
      { numRuns: 300 },
    )
  })

  test('refuses marketing by default', () => {
    const string = gppString(new Map([[8, usSection(8, { sale: 1 })]]))
    expect(gpp()(requestWith(`OTGPPConsent=${string}`))).toEqual(refusesMarketing)
    expect(gpp()(requestWith(`OTGPPConsent=${encodeURIComponent(string)}`))).toEqual(refusesMarketing)
    expect(gpp({ cookies: ['site-gpp'] })(requestWith(`gpp=${string}`))).toBeUndefined()
  })

  test('reads the US Privacy string inside', () => {
    expect(read(gppString(new Map([[6, '1YYN']])))).toEqual({ s: false })
    expect(read(gppString(new Map([[6, '1YNN']])))).toBeUndefined()
  })

  test.each([
    ['no sections', 'DBAA'],
    ['a header of another type', gppString(new Map([[7, usSection(7, { sale: 1 })]])).replace(/^D/, 'E')],
    [
      'a header of another version',
      gppString(new Map([[7, usSection(7, { sale: 1 })]])).replace(/^DB/, 'DC'),
    ],
    ['a US Privacy string in another section', gppString(new Map([[7, '1YYN']]))],
    ['a header that ends in a number', `DBABA~${usSection(7, { sale: 1 })}`],
    ['a header that promises 4095 ranges', `DB__A${'A'.repeat(40)}~${usSection(7, { sale: 1 })}`],
    [
      'a version that is not known',
      gppString(new Map([[8, bitString([[9, 6], ...Array.from({ length: 20 }, () => [1, 2] as const)])]])),
    ],
    ['a section cut short', gppString(new Map([[7, usSection(7, { sale: 1 }).slice(0, 2)]]))],
    ['malformed encoding', '%E0%A4%A'],
  ])('does not know %s', (_, string) => {
    expect(read(string)).toBeUndefined()
  })
})

describe('usPrivacy', () => {
  test.each([
    ['usprivacy=1YYN', refusesMarketing],
    ['us_privacy=1NYN', refusesMarketing],
    ['usprivacy=1yyy', refusesMarketing],
    [`usprivacy=${encodeURIComponent('{"uspString":"1YY-","optOutDate":null}')}`, refusesMarketing],
    ['usprivacy=1YNN; us_privacy=1YYN', refusesMarketing],
    ['usprivacy=1YNN', undefined],
    ['usprivacy=1---', undefined],
    ['usprivacy=1YYNN', undefined],
    ['usprivacy=2YYN', undefined],
    ['usprivacy=%7B%22uspString%22', undefined],
    ['', undefined],
  ])('%s', (cookie, consent) => {
    expect(usPrivacy()(requestWith(cookie))).toEqual(consent)
  })

  test('reads the cookies that it is given', () => {
    expect(usPrivacy({ cookies: ['ccpa'] })(requestWith('usprivacy=1YYN; ccpa=1YNN'))).toBeUndefined()
  })
})

describe('globalPrivacyControl', () => {
  test.each([
    ['1', refusesMarketing],
    ['0, 1', refusesMarketing],
    [' 1 ', refusesMarketing],
    ['0', undefined],
    ['true', undefined],
    ['11', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Sec-GPC: %s', (value, consent) => {
    expect(globalPrivacyControl()(requestWith('', { 'sec-gpc': value }))).toEqual(consent)
  })

  test('has nothing to do with DNT', () => {
    expect(globalPrivacyControl()(requestWith('', { dnt: '1' }))).toBeUndefined()
  })

  test('refuses the keys that it is given', () => {
    const reader = globalPrivacyControl({ categories: { gpc: ['marketing', 'analytics'] } })
    expect(reader(requestWith('', { 'sec-gpc': '1' }))).toEqual({ marketing: false, analytics: false })
  })
})

test('the readers that only refuse are marked, and no other', () => {
  for (const reader of [globalPrivacyControl(), usPrivacy(), gpp()]) {
    expect(isOptOut(reader)).toBe(true)
    expect(reader[optOut]).toBe(true)
  }
  expect([globalPrivacyControl().name, usPrivacy().name, gpp().name]).toEqual([
    'globalPrivacyControl',
    'usPrivacy',
    'gpp',
  ])
  expect(isOptOut(oneTrust())).toBe(false)
  expect(isOptOut(() => ({ marketing: false }))).toBe(false)
})
