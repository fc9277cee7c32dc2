import { readBits } from './bits.js'

/** What has to be there to read the purposes: the 213 bits before the list of vendors. */
const HEAD = /^[\w-]{36}/

const VERSION = 2
const IS_SERVICE_SPECIFIC = 138
const PURPOSES_CONSENT = 152
const PURPOSES = 24

/**
 * The purposes of a TCF 2 consent string, in order: the first is that of purpose 1.
 *
 * Reads the head of the string at its fixed offsets and nothing of the lists behind it, which a crafted string can
 * make as slow to decode as it likes. A string that is not specific to one service is invalid since September 2021.
 *
 * Source: IAB Tech Lab, "Consent string and vendor list formats v2", the core string.
 *
 * @returns 24 booleans, or `undefined` where this is no valid string of version 2.
 */
export function consentedPurposes(tcString: string): boolean[] | undefined {
  if (!HEAD.test(tcString) || readBits(tcString, 0, 6) !== VERSION) return undefined
  if (readBits(tcString, IS_SERVICE_SPECIFIC, 1) !== 1) return undefined
  return Array.from({ length: PURPOSES }, (_, index) => readBits(tcString, PURPOSES_CONSENT + index, 1) === 1)
}
