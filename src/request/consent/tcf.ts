import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieNames } from '../reader-options.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { ConsentRecord } from './record.js'
import { readTcPurposes, TC_PURPOSES, tcRecord } from './tc-string.js'

/** The options of {@link tcf}. */
export interface TcfOptions extends ConsentOptions {
  /** The cookies that may hold the string. Of several valid strings the strictest counts. Defaults to `euconsent-v2`, `eupubconsent-v2`. */
  cookies?: readonly string[]
}

/**
 * Reads the purposes of an IAB TCF 2 consent string, which managers keep in `euconsent-v2` or `eupubconsent-v2`.
 *
 * Managers write the string when the visitor has chosen, so a valid string is a choice. Only consent to purposes
 * counts, neither legitimate interest nor consent to single vendors.
 *
 * Categories are the numbers of the purposes. By default `analytics` needs purposes 1, 8 and 9, and `marketing` 1, 3
 * and 4; `functional` is not part of the framework.
 *
 * @example
 * consent: tcf({ categories: { 1: ['analytics', 'marketing'], 8: 'analytics', 4: 'marketing' } })
 */
export function tcf(options: TcfOptions = {}): ConsentReader {
  return consentReader({
    name: 'tcf',
    options,
    rules: { cookies: cookieNames },
    defaults: TC_PURPOSES,
    complete: true,
    read,
  })
}

markFactory(tcf, 'tcf()')

function read(
  request: TrackedRequest,
  { cookies = ['euconsent-v2', 'eupubconsent-v2'] }: TcfOptions,
): ConsentRecord[] {
  return cookies.flatMap((cookie) => readTcPurposes(request, cookie).map(tcRecord))
}
