import type { TrackedRequest } from '../../model/tracked-request.js'
import { parseJson } from '../json.js'
import { markFactory } from '../reader-factory.js'
import { cookieName, flag, text } from '../reader-options.js'
import { percentDecoded, readCookies, stringsOf } from './decode.js'
import { oneAnswer } from './one-answer.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { COMMON_CATEGORIES, type ConsentRecord } from './record.js'

/** The options of {@link drupalEuCookieCompliance}. */
export interface DrupalEuCookieComplianceOptions extends ConsentOptions {
  /** The name of the cookie with the status, the module's `cookie_name`. Defaults to `cookie-agreed`. */
  cookieName?: string
  /**
   * The module's present `cookie_policy_version`. A choice under another one is unknown, since the module asks again. By
   * default choices under all versions count.
   */
  version?: string
  /**
   * Whether the module asks for categories, its `method` `categories`. Defaults to `true`. With `false` the visitor was asked
   * one question, and its answer is that for every category.
   */
  hasCategories?: boolean
}

/**
 * Reads the choice that Drupal's module EU Cookie Compliance recorded: 0 (declined or withdrawn), 1 or 2 (agreed) in the
 * cookie `cookie-agreed`, and the accepted categories, a JSON list in `cookie-agreed-categories`.
 *
 * `cookie-agreed=0` refuses the listed categories, too, which the module leaves as they were. Without the list a consent is
 * unknown: the two cookies can have different paths. Where clicking or scrolling confirms
 * (`popup_clicking_confirmation`, `popup_scrolling_confirmation`), no server can tell that from a choice.
 *
 * The site names its categories. By default `necessary`, `essential` and `required` are `functional`; `analytics` and
 * `statistics` are `analytics`; `marketing`, `advertisement`, `advertising` and `targeting` are `marketing`.
 *
 * Source: the module's `js/eu_cookie_compliance.js` (`acceptAction`, `declineAction`, `setAcceptedCategories`).
 */
export function drupalEuCookieCompliance(options: DrupalEuCookieComplianceOptions = {}): ConsentReader {
  return consentReader({
    name: 'drupalEuCookieCompliance',
    options,
    rules: { cookieName, version: text("the policy's version, such as '1.0.0'"), hasCategories: flag },
    defaults: COMMON_CATEGORIES,
    others: ['functional', 'functionality', 'preference', 'preferences'],
    read,
  })
}

markFactory(drupalEuCookieCompliance, 'drupalEuCookieCompliance()')

function read(
  request: TrackedRequest,
  { cookieName = 'cookie-agreed', version, hasCategories = true }: DrupalEuCookieComplianceOptions,
): ConsentRecord[] {
  const versions = readCookies(request, `${cookieName}-version`)
  if (version !== undefined && (versions.length === 0 || versions.some((other) => other !== version)))
    return []
  const lists = readCookies(request, `${cookieName}-categories`)
  return readCookies(request, cookieName).flatMap((status) => {
    if (status === '0') return [oneAnswer(false)]
    if (status !== '1' && status !== '2') return []
    return hasCategories ? lists.flatMap((list) => recordOf(list) ?? []) : [oneAnswer(true)]
  })
}

function recordOf(list: string): ConsentRecord | undefined {
  const accepted = stringsOf(parseJson(percentDecoded(list)))
  if (accepted === undefined) return undefined
  return {
    explicit: true,
    choices: new Map(accepted.map((category) => [category, true])),
    acceptedOnly: true,
  }
}
