import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLargerThan, toPlain } from '../../src/model/values.js'

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withNullPrototype: true,
  withTypedArray: true,
})

/** JSON without the one key that is always left out, since it would set a prototype. */
const json = fc
  .jsonValue()
  .map((value): unknown =>
    JSON.parse(JSON.stringify(value), (key, member: unknown) => (key === '__proto__' ? undefined : member)),
  )

describe('toPlain', () => {
  it('gives what JSON can write for whatever it is given, and never throws', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: copied } = toPlain(value)
        const written = JSON.stringify(copied)
        if (written === undefined) return
        expect(JSON.parse(JSON.stringify(toPlain(JSON.parse(written)).value))).toEqual(JSON.parse(written))
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives for JSON what JSON gives', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.stringify(toPlain(value).value)).toBe(JSON.stringify(value))
        expect(toPlain(value).problems).toEqual([])
      }),
    )
  })

  it('agrees with the bytes of the text about what is too large', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 0, max: 200 }), (value, limit) => {
        const larger = Buffer.byteLength(JSON.stringify(value)) > limit
        expect(toPlain(value, limit).tooLarge).toBe(larger)
        expect(isLargerThan(value, limit)).toBe(larger)
      }),
      { numRuns: 2_000 },
    )
  })

  it('shares nothing with what it was given', () => {
    const given = { list: [{ a: 1 }], map: { b: 2 } }
    const { value } = toPlain(given)
    expect(value).toEqual(given)
    given.list[0] = { a: 9 }
    given.map.b = 9
    expect(value).toEqual({ list: [{ a: 1 }], map: { b: 2 } })
  })

  it('names what it leaves out by its path', () => {
    const circular: Record<string, unknown> = { list: [] }
    circular.list = [{ back: circular }]
    const { value, problems } = toPlain({
      circular,
      get bad() {
        throw new Error('secret')
      },
      toJson: {
        toJSON() {
          throw new Error('secret')
        },
      },
    })
    expect(value).toEqual({ circular: { list: [{}] } })
    expect(problems).toEqual([
      'circular.list[0].back is circular and was left out',
      'bad threw when it was read and was left out',
      'toJson threw when it was read and was left out',
    ])
  })

  it('stops at a depth that no stack minds, and does not take a shared object for a circle', () => {
    let deep: object = { end: true }
    for (let level = 0; level < 10_000; level++) deep = { deep }
    expect(toPlain(deep).problems).toHaveLength(1)
    const shared = { a: 1 }
    expect(toPlain([shared, shared])).toMatchObject({ value: [{ a: 1 }, { a: 1 }], problems: [] })
  })

  it('cannot be made to change a prototype', () => {
    const { value } = toPlain(JSON.parse('{"__proto__":{"polluted":true},"a":1}'))
    expect(value).toEqual({ a: 1 })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(toPlain(new Map([['__proto__', { polluted: true }]])).value).toEqual({})
  })

  it('does not go through what is far too large', () => {
    let read = 0
    const huge = Array.from({ length: 100_000 }, () => ({
      get text() {
        read++
        return 'x'.repeat(100)
      },
    }))
    expect(toPlain(huge, 32 * 1024).tooLarge).toBe(true)
    expect(read).toBeLessThan(1_000)
  })
})
