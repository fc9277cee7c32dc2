import { describe, expect, it } from 'vitest'
import { onlyChoices, readChoices } from '../../src/model/consent.js'
import { withFrozenPrototype } from '../support/frozen-prototype.js'

const many = (choice: boolean, count = 1_000_000) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${choice}${index}`, choice]))

describe('onlyChoices', () => {
  it('takes what is a choice, and nothing else', () => {
    const state: unknown = JSON.parse(
      '{"a":true,"b":false,"c":"true","d":1,"e":null,"__proto__":true,"f":{}}',
    )
    expect(onlyChoices(state)).toEqual({ a: true, b: false })
    for (const none of [undefined, null, true, 'a', [true], new Map([['a', true]])]) {
      expect(onlyChoices(none)).toEqual({})
    }
  })

  it('finds a refusal behind a member that throws', () => {
    const state = {
      get a(): never {
        throw new Error('broken')
      },
      b: false,
    }
    expect(onlyChoices(state)).toEqual({ b: false })
  })

  it('keeps names that all objects have, also where their prototype is frozen', async () => {
    const state: unknown = JSON.parse('{"toString":false,"constructor":true,"marketing":false}')
    const choices = await withFrozenPrototype(() => onlyChoices(state))
    expect(Object.entries(choices)).toEqual([
      ['toString', false],
      ['constructor', true],
      ['marketing', false],
    ])
  })

  it('bounds what it takes; grants leave the room of refusals alone', () => {
    const choices = onlyChoices({ ...many(true, 50_000), marketing: false })
    expect(Object.keys(choices)).toHaveLength(1_025)
    expect(choices.marketing).toBe(false)
    expect(Object.keys(onlyChoices({ ...many(true, 5_000), ...many(false, 5_000) }))).toHaveLength(2_048)
  })
})

describe('readChoices', () => {
  it('refuses what is no choice, and says so by name', () => {
    const state = { a: true, b: 'false', c: undefined, toString: 1 }
    expect(readChoices(state)).toEqual({
      choices: { a: true, b: false, c: false, toString: false },
      problem: expect.stringContaining('the choice of "b", "c", "toString" is neither true nor false'),
    })
  })

  it('bounds what it takes, and says how many choices do not count', () => {
    const { choices, problem } = readChoices({
      ...many(true, 5_000),
      ...Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`odd${index}`, 'yes'])),
      marketing: false,
    })
    expect(Object.keys(choices)).toHaveLength(2_049)
    expect(choices.marketing).toBe(false)
    expect(problem).toContain('7952 choices beyond 1024 of a kind do not count')
  })
})
