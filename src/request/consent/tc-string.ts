import type { TrackedRequest } from '../../model/tracked-request.js'
import { readBits } from './bits.js'
import { cookieValues, MAX_VALUES } from './cookie-values.js'
import type { CategoryMap, ConsentRecord } from './record.js'

/** The part before the list of vendors: 213 bits that every string has. */
const HEAD = /^[\w-]{36}/

const VERSION = 2
const IS_SERVICE_SPECIFIC = 138
const PURPOSES_CONSENT = 152
const PURPOSES = 24

/** The purposes behind the keys that `tcf()` knows. */
export const TC_PURPOSES: CategoryMap = {
  1: ['analytics', 'marketing'],
  3: 'marketing',
  4: 'marketing',
  8: 'analytics',
  9: 'analytics',
}

/** Makes a record of consented purposes; their categories are the numbers of the purposes. */
export function tcRecord(purposes: readonly boolean[]): ConsentRecord {
  return {
    explicit: true,
    choices: new Map(purposes.map((granted, index) => [String(index + 1), granted])),
  }
}

/**
 * Reads the purposes of a TCF 2 consent string, in order, beginning with purpose 1.
 *
 * It reads only the head of the string, at fixed offsets: a crafted string could make the lists behind it slow to
 * decode. A string that is not specific to one service is invalid since September 2021.
 *
 * Source: IAB Tech Lab, "Consent string and vendor list formats v2", the core string.
 *
 * @returns 24 booleans, or `undefined` if this is not a valid string of version 2.
 */
export function consentedPurposes(tcString: string): boolean[] | undefined {
  if (!HEAD.test(tcString) || readBits(tcString, 0, 6) !== VERSION) return undefined
  if (readBits(tcString, IS_SERVICE_SPECIFIC, 1) !== 1) return undefined
  return Array.from({ length: PURPOSES }, (_, index) => readBits(tcString, PURPOSES_CONSENT + index, 1) === 1)
}

/** Reads the purposes of every valid string in a cookie. It returns none if there are more than a browser sends. */
export function readTcPurposes(request: TrackedRequest, cookieName: string): boolean[][] {
  const values = cookieValues(request, cookieName)
  if (values.length > MAX_VALUES) return []
  // Only the head is read, so a quote at the end does not matter.
  return values.flatMap((value) => {
    const purposes = consentedPurposes(value.startsWith('"') ? value.slice(1) : value)
    return purposes === undefined ? [] : [purposes]
  })
}
