import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTimestamp } from '../../src/model/timestamp.js'

describe('readTimestamp', () => {
  it.each<[unknown, string]>([
    [1_700_000_000_000, '2023-11-14T22:13:20.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [new Date(5), '1970-01-01T00:00:00.005Z'],
    [runInNewContext('new Date(6)'), '1970-01-01T00:00:00.006Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-05-01T10:20Z', '2024-05-01T10:20:00.000Z'],
    ['2024-05-01T10:20:30Z', '2024-05-01T10:20:30.000Z'],
    ['2024-05-01T10:20:30.123456789Z', '2024-05-01T10:20:30.123Z'],
    ['2024-05-01t10:20:30z', '2024-05-01T10:20:30.000Z'],
    ['2024-05-01T10:20:30+02:00', '2024-05-01T08:20:30.000Z'],
    ['2024-05-01 10:20:30.5+02', '2024-05-01T08:20:30.500Z'],
    ['+012024-05-01T00:00:00Z', '+012024-05-01T00:00:00.000Z'],
  ])('reads %o', (given, expected) => {
    expect(new Date(readTimestamp(given) ?? Number.NaN).toISOString()).toBe(expected)
  })

  it('reads a time without an offset as local time, as Date does', () => {
    expect(readTimestamp('2024-05-01T10:20:30')).toBe(new Date(2024, 4, 1, 10, 20, 30).getTime())
  })

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    8.64e15 + 1,
    new Date(Number.NaN),
    '',
    'now',
    '1700000000000',
    'Tue, 14 Nov 2023 22:13:20 GMT',
    'March 7',
    '2024-02-30',
    '2023-02-29T10:00:00Z',
    '2024-13-01',
    '2024-05-01T25:00:00Z',
    '2024-05-01T10:20:30Z; DROP TABLE',
    `2024-05-01T10:20:30.${'0'.repeat(100_000)}Z`,
    null,
    true,
    10n,
    {},
    [0],
    { getTime: () => 5 },
    new Proxy(new Date(0), {}),
    Symbol('now'),
    () => 5,
  ])('takes %o for none', (given) => {
    expect(readTimestamp(given)).toBeUndefined()
  })

  it('gives a time that a Date can hold for whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withBigInt: true }), (given) => {
        const time = readTimestamp(given)
        if (time !== undefined) expect(new Date(time).getTime()).not.toBeNaN()
      }),
    )
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        if (date.getUTCFullYear() >= 0) expect(readTimestamp(date.toISOString())).toBe(date.getTime())
      }),
    )
  })
})
