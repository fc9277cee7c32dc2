import type { TrackedRequest } from '../../model/tracked-request.js'
import { booleansOf, own, ownObject, readJsonCookie } from './decode.js'
import {
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/** The options of {@link iubenda}. */
export interface IubendaOptions extends ConsentOptions {
  /** The site id in the cookie's name. By default the first cookie `_iub_cs-<digits>` is read. */
  siteId?: string | number
}

/**
 * Reads the choice that iubenda recorded: percent-encoded JSON in `_iub_cs-<site id>`.
 *
 * The choice counts as made when the record holds `purposes`, or `consent` if the site asks for everything at once.
 *
 * By default purpose 1 (necessary) is `functional`, 4 (measurement) `analytics`, 5 (marketing) `marketing`; 2 and 3
 * (functionality, experience) have no key. The opt-outs of its US mode (`-uspr`) are not read: use
 * `globalPrivacyControl` and `usPrivacy`.
 */
export function iubenda(options: IubendaOptions = {}): ConsentReader {
  const { siteId } = options
  return consentReader({
    name: 'iubenda',
    options,
    defaults: { 1: 'functional', 4: 'analytics', 5: 'marketing' },
    read: (request) => read(request, siteId === undefined ? undefined : `_iub_cs-${siteId}`),
  })
}

function read(request: TrackedRequest, givenName: string | undefined): ConsentRecord | undefined {
  const name = givenName ?? cookieName(request)
  const record = name === undefined ? undefined : readJsonCookie(request, name)
  if (record === undefined) return undefined
  const purposes = ownObject(record, 'purposes')
  if (purposes !== undefined) return { explicit: true, choices: booleansOf(purposes) }
  const consent = own(record, 'consent')
  if (typeof consent !== 'boolean') return undefined
  const choices = new Map<string, Choice>([['1', true]])
  for (const purpose of ['2', '3', '4', '5']) choices.set(purpose, consent)
  return { explicit: true, choices }
}

function cookieName(request: TrackedRequest): string | undefined {
  for (const name of request.cookies.keys()) {
    if (/^_iub_cs-\d+$/.test(name)) return name
  }
  return undefined
}
