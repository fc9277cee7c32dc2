import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { textOrNumber } from '../reader-options.js'
import { cookieNamesLike } from './cookie-values.js'
import { booleansOf, own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { Choice, ConsentRecord } from './record.js'

/** The options of {@link iubenda}. */
export interface IubendaOptions extends ConsentOptions {
  /** The site id in the cookie's name. By default the records of all sites are read, and the strictest counts. */
  siteId?: string | number
}

/**
 * Reads the choice that iubenda recorded: percent-encoded JSON in `_iub_cs-<policy id>` or `_iub_cs-s<site id>`.
 *
 * The choice counts as made when the record holds `purposes`, or `consent` if the site asks for everything at once. A
 * refused `consent` refuses the purposes beside it, too.
 *
 * By default purpose 1 (necessary) is `functional`, 4 (measurement) `analytics`, 5 (marketing) `marketing`; 2 and 3
 * (functionality, experience) have no key. The opt-outs of its US mode (`-uspr`) are not read: use
 * `globalPrivacyControl` and `usPrivacy`.
 */
export function iubenda(options: IubendaOptions = {}): ConsentReader {
  return consentReader({
    name: 'iubenda',
    options,
    rules: { siteId: textOrNumber('the id of the site, such as 252372') },
    defaults: { 1: 'functional', 4: 'analytics', 5: 'marketing' },
    others: ['2', '3'],
    read,
  })
}

markFactory(iubenda, 'iubenda()')

const PURPOSES = ['2', '3', '4', '5']

function read(request: TrackedRequest, { siteId }: IubendaOptions): ConsentRecord[] {
  return cookieNames(request, siteId)
    .flatMap((name) => readJsonCookies(request, name))
    .flatMap((record) => recordOf(record) ?? [])
}

function recordOf(record: Record<string, unknown>): ConsentRecord | undefined {
  const purposes = ownObject(record, 'purposes')
  const consent = own(record, 'consent')
  if (purposes !== undefined && consent !== false) return { explicit: true, choices: booleansOf(purposes) }
  if (typeof consent !== 'boolean') return undefined
  const choices = new Map<string, Choice>([['1', true]])
  for (const purpose of PURPOSES) choices.set(purpose, consent)
  return { explicit: true, choices }
}

function cookieNames(request: TrackedRequest, siteId: string | number | undefined): readonly string[] {
  if (siteId !== undefined) return [`_iub_cs-${siteId}`, `_iub_cs-s${siteId}`]
  return cookieNamesLike(request, /^_iub_cs-s?\d+$/)
}
