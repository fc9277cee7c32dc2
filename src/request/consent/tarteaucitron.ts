import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { pairsOf, readCookies } from './decode.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link tarteaucitron}. */
export interface TarteaucitronOptions extends MappedConsentOptions {
  /** The cookie's name, tarteaucitron's `cookieName`. Defaults to `tarteaucitron`. */
  cookieName?: string
}

/**
 * Reads the choice that tarteaucitron.js recorded: `!gtag=true!facebookpixel=false` in the cookie `tarteaucitron`.
 *
 * `true` and `false` are a choice for one service; `wait` is unknown. With `serviceDefaultState: true`,
 * `highPrivacy: false`, `user.bypass`, and for a service with `needConsent: false`, the library writes `true` without a
 * choice, and no server can tell the difference.
 *
 * There is no default map: the ids are the site's own services.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: tarteaucitron({ categories: { gtag: 'analytics', facebookpixel: 'marketing' } })
 */
export function tarteaucitron(options: TarteaucitronOptions): ConsentReader {
  return consentReader({ name: 'tarteaucitron', options, rules: { cookieName }, read })
}

markFactory(tarteaucitron, "tarteaucitron({ categories: { gtag: 'analytics' } })")

function read(
  request: TrackedRequest,
  { cookieName = 'tarteaucitron' }: TarteaucitronOptions,
): ConsentRecord[] {
  return readCookies(request, cookieName).map(recordOf)
}

function recordOf(cookie: string): ConsentRecord {
  const choices = new Map<string, Choice>()
  let isChosen = false
  for (const [service, value] of pairsOf(cookie, '!', '=')) {
    if (value === 'true' || value === 'false') {
      addChoice(choices, service, value === 'true')
      isChosen = true
    } else if (value === 'wait' && !choices.has(service)) {
      choices.set(service, 'undecided')
    }
  }
  return { explicit: isChosen, choices }
}
