import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { type ConsentReader, type OptOutOptions, optOutReader } from './reader.js'

/**
 * Reads Global Privacy Control, the browser's header `Sec-GPC: 1`: a person's request not to have their data sold or
 * shared, which binds in California, Colorado and other places.
 *
 * It only refuses: the signal `gpc` refuses `marketing` by default. Its absence and other values say nothing. If the
 * header came several times, one `1` is enough. `DNT` is discontinued and has no effect.
 *
 * Source: W3C, "Global Privacy Control (GPC)", section 3.2.
 *
 * @example
 * consent: [oneTrust(), globalPrivacyControl({ categories: { gpc: ['marketing', 'analytics'] } })]
 */
export function globalPrivacyControl(options: OptOutOptions = {}): ConsentReader {
  return optOutReader({ name: 'globalPrivacyControl', signals: ['gpc'], options, rules: {}, read })
}

markFactory(globalPrivacyControl, 'globalPrivacyControl()')

function read({ headers }: TrackedRequest): string[] {
  const header = headers['sec-gpc']
  const values = Array.isArray(header) ? header : (header ?? '').split(',', 16)
  return values.some((value) => value.trim() === '1') ? ['gpc'] : []
}
