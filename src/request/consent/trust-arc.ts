import type { TrackedRequest } from '../../model/tracked-request.js'
import { percentDecoded, readCookie } from './decode.js'
import {
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/**
 * Reads the choice that TrustArc recorded: the permitted buckets in `cmapi_cookie_privacy` (`permit 1,2,3`,
 * `permit 1 required`, `permit_1|2|3`), and without it those in `notice_gdpr_prefs` (`0,1,2:`, counted from 0).
 *
 * The choice counts as made when `notice_preferences` holds one.
 *
 * By default bucket 1 (required) is `functional`, 2 (functional) `analytics`, 3 (advertising) `marketing`. A site
 * decides the meaning of its buckets and may have more: give `categories` unless yours match these.
 */
export function trustArc(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'trustArc',
    options,
    defaults: { 1: 'functional', 2: 'analytics', 3: 'marketing' },
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const buckets = permittedBuckets(request) ?? gdprBuckets(request)
  if (buckets === undefined) return undefined
  const choices = new Map<string, Choice>(buckets.map((bucket) => [String(bucket), true]))
  return { explicit: /^\d/.test(readCookie(request, 'notice_preferences') ?? ''), choices }
}

function permittedBuckets(request: TrackedRequest): number[] | undefined {
  const text = percentDecoded(readCookie(request, 'cmapi_cookie_privacy') ?? '')
  return text?.startsWith('permit') ? numbersOf(text.slice('permit'.length)) : undefined
}

function gdprBuckets(request: TrackedRequest): number[] | undefined {
  const [list = ''] = (percentDecoded(readCookie(request, 'notice_gdpr_prefs') ?? '') ?? '').split(':', 1)
  return numbersOf(list)?.map((bucket) => bucket + 1)
}

/** Returns the numbers at the beginning of a text, or `undefined` if it begins with none. */
function numbersOf(text: string): number[] | undefined {
  const list = /^[\s_]*(\d[\d,|]*)/.exec(text)?.[1]
  return list?.split(/[,|]/).filter(Boolean).map(Number)
}
