import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { text } from '../reader-options.js'
import { eachCookieOf } from './cookie-values.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link wpConsentApi}. */
export interface WpConsentApiOptions extends ConsentOptions {
  /** The prefix of the cookies, `wp_consent_api_cookie_prefix` with a `_` behind it. Defaults to `wp_consent_`. */
  prefix?: string
}

/**
 * Reads the choice that consent plugins for WordPress hand to the WP Consent API: a cookie a category, such as
 * `wp_consent_marketing=deny`. Complianz, CookieYes, Moove's plugin and others write it.
 *
 * The choice counts as made when `preferences`, `statistics` or `marketing` was allowed or denied: plugins allow
 * `functional` and `statistics-anonymous` without asking. A category without a cookie is unknown. Under an opt-out law some
 * plugins write `allow` before a choice, and no server can tell the difference: where the plugin has a reader of its
 * own, use that.
 *
 * By default `functional` is `functional`, `statistics` `analytics`, `marketing` `marketing`; `preferences` and
 * `statistics-anonymous` have no key.
 *
 * Source: github.com/WordPress/wp-consent-level-api, `assets/js/wp-consent-api.js` (`wp_set_consent`).
 */
export function wpConsentApi(options: WpConsentApiOptions = {}): ConsentReader {
  return consentReader({
    name: 'wpConsentApi',
    options,
    rules: { prefix: text("the beginning of the cookies' names, such as 'wp_consent_'") },
    defaults: { functional: 'functional', statistics: 'analytics', marketing: 'marketing' },
    others: ['preferences', 'statistics-anonymous'],
    read,
  })
}

markFactory(wpConsentApi, 'wpConsentApi()')

const ASKED = ['preferences', 'statistics', 'marketing']

function read(request: TrackedRequest, { prefix = 'wp_consent_' }: WpConsentApiOptions): ConsentRecord[] {
  const choices = new Map<string, Choice>()
  eachCookieOf(request, (name, value) => {
    if (name.startsWith(prefix) && (value === 'allow' || value === 'deny')) {
      addChoice(choices, name.slice(prefix.length), value === 'allow')
    }
  })
  if (choices.size === 0) return []
  const explicit = ASKED.some((category) => choices.has(category))
  for (const category of ['functional', ...ASKED]) {
    if (!choices.has(category)) choices.set(category, 'undecided')
  }
  return [{ explicit, choices }]
}
