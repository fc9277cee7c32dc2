import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTraceparent } from '../../src/request/trace.js'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'

describe('parseTraceparent', () => {
  it('reads the trace and the caller', () => {
    expect(parseTraceparent(`00-${trace}-${parent}-01`)).toEqual({ trace, parent })
    expect(parseTraceparent(`00-${trace}-${parent}-00`)).toEqual({ trace, parent })
  })

  it('reads what a later version has of it', () => {
    expect(parseTraceparent(`cc-${trace}-${parent}-01`)).toEqual({ trace, parent })
    expect(parseTraceparent(`cc-${trace}-${parent}-01-what-comes-then`)).toEqual({ trace, parent })
  })

  it.each([
    ['upper case', `00-${trace.toUpperCase()}-${parent}-01`],
    ['an invalid version', `ff-${trace}-${parent}-01`],
    ['more than version 00 has', `00-${trace}-${parent}-01-more`],
    ['more without a hyphen', `cc-${trace}-${parent}-01.more`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${parent}-01`],
    ['a caller of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
    ['a trace that is too short', `00-${trace.slice(1)}-${parent}-01`],
    ['no flags', `00-${trace}-${parent}`],
    ['two headers, as Node joins them', `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`],
    ['nothing', ''],
  ])('reads no trace from %s', (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })

  it('reads no trace where there is none or a list', () => {
    expect(parseTraceparent(undefined)).toBeUndefined()
    expect(parseTraceparent([`00-${trace}-${parent}-01`])).toBeUndefined()
  })

  it('gives ids or nothing, whatever the header', () => {
    const near = fc.stringMatching(/^0[0-2]-[0-9a-fA-F]{31,33}-[0-9a-f]{15,17}-0[01]-?$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (header) => {
        const read = parseTraceparent(header)
        if (!read) return
        expect(read.trace).toMatch(/^[0-9a-f]{32}$/)
        expect(read.parent).toMatch(/^[0-9a-f]{16}$/)
      }),
    )
  })
})
