import type { TrackedRequest } from '../../model/tracked-request.js'
import { parseJson } from '../json.js'
import { markFactory } from '../reader-factory.js'
import { percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { ConsentRecord } from './record.js'
import { consentedPurposes, TC_PURPOSES, tcRecord } from './tc-string.js'

/**
 * Reads the purposes of the TCF string that Google's own manager recorded (Privacy & messaging, before it Funding
 * Choices): in the cookie `FCCDCF`, a JSON list, it is the first member of one of the lists inside.
 *
 * The categories and the default map are those of `tcf`. Where the manager shows no message of the TCF there is no
 * string, and the consent is unknown.
 *
 * Source: captures of several sites; the string itself is the IAB's.
 */
export function googleFundingChoices(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'googleFundingChoices',
    options,
    rules: {},
    defaults: TC_PURPOSES,
    complete: true,
    read,
  })
}

markFactory(googleFundingChoices, 'googleFundingChoices()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readCookies(request, 'FCCDCF').flatMap((cookie) => {
    const parts = parseJson(percentDecoded(cookie))
    return Array.isArray(parts) ? parts.flatMap((part) => recordOf(part) ?? []) : []
  })
}

function recordOf(part: unknown): ConsentRecord | undefined {
  const first: unknown = Array.isArray(part) ? part[0] : undefined
  const purposes = typeof first === 'string' ? consentedPurposes(first) : undefined
  return purposes && tcRecord(purposes)
}
