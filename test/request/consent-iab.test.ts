import { GppModel } from '@iabgpp/cmpapi'
import { TCString } from '@iabtcf/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gpp, tcf } from '../../src/request/consent/index.js'
import { tcString } from './consent-formats.js'
import { requestWith } from './consent-request.js'

// Holds our own readings of the IAB's strings against the decoders that the IAB publishes. `IAB_RUNS=100000` for more.

const RUNS = Number(process.env.IAB_RUNS ?? 20_000)
const TIMEOUT_MS = 60_000 + RUNS * 10

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Changes, removes and adds a few characters of a string, at places given as shares of its length. */
interface Slip {
  readonly at: number
  readonly kind: 'change' | 'remove' | 'add'
  readonly character: string
}

const slips = fc.array(
  fc.record<Slip>({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('change', 'remove', 'add'),
    character: fc.constantFrom(...ALPHABET),
  }),
  { maxLength: 3 },
)

function slipped(text: string, given: readonly Slip[]): string {
  return given.reduce((before, { at, kind, character }) => {
    const index = Math.floor(at * before.length)
    return (
      before.slice(0, index) +
      (kind === 'remove' ? '' : character) +
      before.slice(index + (kind === 'add' ? 0 : 1))
    )
  }, text)
}

const everyPurpose = Object.fromEntries(
  Array.from({ length: 24 }, (_, at) => [String(at + 1), String(at + 1)]),
)
const readTcf = tcf({ categories: everyPurpose })

/** The purposes by the IAB's decoder; `undefined` where it takes the string for none of a service by version 2. */
function theirPurposes(text: string): number[] | undefined {
  try {
    const model = TCString.decode(text)
    if (model.version !== 2 || !model.isServiceSpecific) return undefined
    return Array.from({ length: 24 }, (_, at) => at + 1).filter((purpose) =>
      model.purposeConsents.has(purpose),
    )
  } catch {
    return undefined
  }
}

test('TCF strings say what the IAB’s decoder says', { timeout: TIMEOUT_MS }, () => {
  let read = 0
  fc.assert(
    fc.property(fc.subarray(Array.from({ length: 24 }, (_, at) => at + 1)), slips, (purposes, given) => {
      const text = slipped(tcString(purposes), given)
      const theirs = theirPurposes(text)
      const ours = readTcf(requestWith(`euconsent-v2=${text}`))
      if (theirs === undefined || ours === undefined) return
      read++
      expect(Object.keys(ours).filter((purpose) => ours[purpose])).toEqual(theirs.map(String))
    }),
    { numRuns: RUNS },
  )
  expect(read).toBeGreaterThan(RUNS / 10)
})

const OPT_OUTS = { SaleOptOut: 's', SharingOptOut: 'h', TargetedAdvertisingOptOut: 't' } as const
const readGpp = gpp({ categories: { sale: 's', sharing: 'h', targetedAdvertising: 't', gpc: 'g' } })

/** The opt-outs by the IAB's decoder, of sections whose version has its fields where we look for them. */
function theirOptOuts(text: string): string[] | undefined {
  try {
    const model = new GppModel(text)
    const signals = new Set<string>()
    for (const id of model.getSectionIds())
      for (const signal of optOutsOf(model, Number(id))) signals.add(signal)
    return [...signals].toSorted()
  } catch {
    return undefined
  }
}

function optOutsOf(model: GppModel, id: number): string[] {
  const value = (field: string): unknown =>
    model.hasFieldBySectionId(id, field) ? model.getFieldValueBySectionId(id, field) : undefined
  if (id === 6) return value('Version') === 1 && value('OptOutSale') === 'Y' ? ['s'] : []
  const version = value(id >= 24 ? 'MspaVersion' : 'Version')
  if (version !== 1 && !(id === 7 && version === 2)) return []
  const signals: string[] = Object.entries(OPT_OUTS).flatMap(([field, signal]) =>
    value(field) === 1 ? [signal] : [],
  )
  return value('Gpc') === true && value('GpcSegmentIncluded') !== false ? [...signals, 'g'] : signals
}

interface Section {
  readonly id: number
  readonly optOuts: readonly number[]
  readonly gpc: boolean
}

const section = fc.record<Section>({
  id: fc.integer({ min: 6, max: 27 }),
  optOuts: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 3, maxLength: 3 }),
  gpc: fc.boolean(),
})

function encoded(sections: readonly Section[]): string {
  const model = new GppModel()
  for (const { id, optOuts, gpc } of sections) {
    if (id === 6) model.setFieldValueBySectionId(6, 'OptOutSale', ['-', 'Y', 'N'][optOuts[0] ?? 0])
    for (const [at, field] of Object.keys(OPT_OUTS).entries()) {
      if (model.hasFieldBySectionId(id, field) || id !== 6) setField(model, id, field, optOuts[at] ?? 0)
    }
    setField(model, id, 'Gpc', gpc)
  }
  return model.encode()
}

/** Sets a field where the section has it. */
function setField(model: GppModel, id: number, field: string, value: unknown): void {
  try {
    model.setFieldValueBySectionId(id, field, value)
  } catch {
    // Not every state has every opt-out.
  }
}

test('GPP strings refuse what they refuse to the IAB’s decoder', { timeout: TIMEOUT_MS }, () => {
  let read = 0
  let refused = 0
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 4 }), slips, (sections, given) => {
      const whole = encoded(sections)
      // The header stays as it is: a range of sections in it makes the IAB's decoder run out of memory.
      const header = whole.slice(0, whole.indexOf('~') + 1)
      const text = header + slipped(whole.slice(header.length), given)
      const theirs = theirOptOuts(text)
      const ours = Object.keys(readGpp(requestWith(`gpp=${text}`)) ?? {}).toSorted()
      if (theirs === undefined) return
      read++
      if (theirs.length > 0) refused++
      expect(ours).toEqual(theirs)
    }),
    { numRuns: RUNS },
  )
  expect(read).toBeGreaterThan(RUNS / 2)
  expect(refused).toBeGreaterThan(RUNS / 10)
})

test('no string makes our readers throw', () => {
  const text = fc.string({ unit: fc.constantFrom(...ALPHABET, '~', '.'), maxLength: 80 })
  fc.assert(
    fc.property(fc.constantFrom('C', 'DB', 'DBA', ''), text, (head, tail) => {
      readTcf(requestWith(`euconsent-v2=${head}${tail}`))
      readGpp(requestWith(`gpp=${head}${tail}`))
    }),
    { numRuns: 5_000 },
  )
})
