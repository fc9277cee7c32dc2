import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Choices, categoriesOf, type Format, formats } from './consent-formats.js'
import { requestWith } from './consent-request.js'

/** What the documentation promises for a record that names all categories. */
function expected(format: Format, choices: Choices): Record<string, boolean> {
  const consent: Record<string, boolean> = {}
  for (const [key, categories] of Object.entries(format.keys)) {
    const granted = categories.filter((category) => choices.get(category) === true)
    consent[key] =
      key === 'functional'
        ? format.necessaryIsImplied === true || granted.length > 0
        : granted.length === categories.length
  }
  return consent
}

/** Civic has no category for what is necessary, and counts it as granted. */
function withoutNecessary(format: Format, consent: object | undefined): object | undefined {
  return format.name === 'civic' && consent ? { ...consent, functional: undefined } : consent
}

function all(format: Format, granted: boolean): Choices {
  return new Map(categoriesOf(format).map((category) => [category, granted]))
}

const hostileNames = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

describe.each(formats)('$name', (format) => {
  const reader = format.reader()

  test('is called by the name of its factory', () => {
    expect(reader.name).toBe(format.name)
  })

  test('grants what was granted', () => {
    const choices = all(format, true)
    const consent = withoutNecessary(format, reader(requestWith(format.write(choices))))
    expect(consent).toEqual(expected(format, choices))
    expect(Object.values(consent ?? {})).toContain(true)
  })

  test('refuses what was refused', () => {
    const necessary = format.keys.functional?.[0]
    const choices = new Map(all(format, false))
    if (necessary !== undefined) choices.set(necessary, true)
    expect(withoutNecessary(format, reader(requestWith(format.write(choices))))).toEqual(
      expected(format, choices),
    )
  })

  test('knows nothing before a choice', () => {
    expect(reader(requestWith(format.write(null)))).toBeUndefined()
    expect(reader(requestWith(''))).toBeUndefined()
  })

  test('says what was chosen, category by category, and nothing else', () => {
    const categories = categoriesOf(format)
    const [first] = categories
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: categories.length, maxLength: categories.length }),
        fc.dictionary(fc.constantFrom(...hostileNames), fc.boolean()),
        (answers, noise) => {
          const choices = new Map(categories.map((category, index) => [category, answers[index] === true]))
          // A manager that lists what was accepted says nothing of a visitor who accepted nothing known.
          if (first !== undefined && format.keys.functional?.includes(first)) choices.set(first, true)
          if (![...choices.values()].includes(true)) return
          const noisy = new Map([...choices, ...Object.entries(noise)])
          const consent = reader(requestWith(`before=1; ${format.write(noisy)}; after=true`))
          expect(withoutNecessary(format, consent)).toEqual(expected(format, choices))
        },
      ),
    )
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('holds against a visitor of whom nothing known is recorded', () => {
    const record = format.write(new Map(hostileNames.map((name) => [name, true])))
    const granted = Object.entries(reader(requestWith(record)) ?? {}).filter(
      ([key, isGranted]) => isGranted && key !== 'functional',
    )
    expect(granted).toEqual([])
  })
})
