import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { percentDecoded } from '../../src/request/percent.js'

/** What the language says, which throws at text that is malformed. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const byte = (value: number) => `%${value.toString(16).padStart(2, '0')}`

describe('percentDecoded', () => {
  it('says of any two bytes, whatever follows, what decodeURIComponent says', () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        for (const rest of ['', '%80', '%bf%bf', '%80%80%80', '%', 'a']) {
          const text = `${byte(first)}${byte(second)}${rest}`
          if (percentDecoded(text) !== decoded(text)) expect(percentDecoded(text), text).toBe(decoded(text))
        }
      }
    }
  })

  it('says of any text what decodeURIComponent says', () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 })).map((values) => values.map(byte).join(''))
    const text = fc.oneof(fc.string({ unit: 'binary' }), bytes, fc.stringMatching(/^[%0-9A-Fa-fé]*$/))
    fc.assert(
      fc.property(text, (given) => {
        expect(percentDecoded(given)).toBe(decoded(given))
      }),
      { numRuns: 2_000 },
    )
  })
})
