import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { ConsentRecord } from './record.js'

/**
 * Reads the choice that TrustArc recorded: the permitted buckets in `cmapi_cookie_privacy` (`permit 1,2,3`,
 * `permit 1 required`, `permit_1|2|3`) and those in `notice_gdpr_prefs` (`0,1,2:`, counted from 0).
 *
 * The choice counts as made when `notice_preferences` holds one: the highest permitted bucket, counted from 0. A bucket
 * is granted only if none of the three cookies leaves it out.
 *
 * By default bucket 1 (required) is `functional`, 2 (functional) `analytics`, 3 (advertising) `marketing`. A site
 * decides the meaning of its buckets and may have more: give `categories` unless yours match these.
 */
export function trustArc(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'trustArc',
    options,
    rules: {},
    defaults: { 1: 'functional', 2: 'analytics', 3: 'marketing' },
    read,
  })
}

markFactory(trustArc, 'trustArc()')

function read(request: TrackedRequest): ConsentRecord[] {
  const lists = [...permittedBuckets(request), ...gdprBuckets(request)]
  const [first, ...others] = lists
  if (first === undefined) return []
  const levels = readCookies(request, 'notice_preferences').map((text) => /^\d+/.exec(text)?.[0])
  const limit = Math.min(...levels.map((level) => (level === undefined ? 0 : Number(level) + 1)))
  const isPermitted = (bucket: number) => bucket <= limit && others.every((list) => list.includes(bucket))
  return [
    {
      explicit: levels.length > 0 && !levels.includes(undefined),
      choices: new Map(first.filter(isPermitted).map((bucket) => [String(bucket), true])),
      acceptedOnly: true,
    },
  ]
}

function permittedBuckets(request: TrackedRequest): number[][] {
  return readCookies(request, 'cmapi_cookie_privacy').flatMap((cookie) => {
    const text = percentDecoded(cookie)
    const buckets = text?.startsWith('permit') ? numbersOf(text.slice('permit'.length)) : undefined
    return buckets === undefined ? [] : [buckets]
  })
}

function gdprBuckets(request: TrackedRequest): number[][] {
  return readCookies(request, 'notice_gdpr_prefs').flatMap((cookie) => {
    const [list = ''] = (percentDecoded(cookie) ?? '').split(':', 1)
    const buckets = numbersOf(list)?.map((bucket) => bucket + 1)
    return buckets === undefined ? [] : [buckets]
  })
}

/** Returns the numbers at the beginning of a text, or `undefined` if it begins with none. */
function numbersOf(text: string): number[] | undefined {
  const list = /^[\s_]*(\d[\d,|]*)/.exec(text)?.[1]
  return list?.split(/[,|]/).filter(Boolean).map(Number)
}
