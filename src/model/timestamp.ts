import * as types from 'node:util/types'

/** ISO 8601 as `Date` reads it, PostgreSQL's form included: a date, or a date and a time with or without an offset. */
const ISO =
  /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/**
 * Reads the time of an event.
 *
 * @param given - Milliseconds since 1970, a `Date`, or an ISO 8601 string.
 * @returns Milliseconds since 1970; `undefined` if it is none of them, or out of a `Date`'s range.
 */
export function readTimestamp(given: unknown): number | undefined {
  const time = millisecondsOf(given)
  return Number.isNaN(new Date(time).getTime()) ? undefined : time
}

function millisecondsOf(given: unknown): number {
  if (typeof given === 'number') return given
  if (typeof given === 'string') return parseIso(given)
  return types.isDate(given) ? Date.prototype.getTime.call(given) : Number.NaN
}

function parseIso(text: string): number {
  const [, year, month, day] = ISO.exec(text) ?? []
  if (year === undefined) return Number.NaN
  // `Date` takes 31 February for 2 March. Its calendar repeats every 400 years.
  const lastDay = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate()
  return Number(day) <= lastDay ? Date.parse(text) : Number.NaN
}
