import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { markFactory } from '../reader-factory.js'
import { textOrNumber } from '../reader-options.js'
import { hasVersion, own, readBase64Cookies } from './decode.js'
import { oneAnswer } from './one-answer.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link cookieHub}. */
export interface CookieHubOptions extends ConsentOptions {
  /** The manager's present revision. A record with another one is unknown. By default records of all revisions count. */
  revision?: string | number
}

/**
 * Reads the choice that CookieHub recorded: base64 of JSON in the cookie `cookiehub`, either with a list of `categories` or
 * with `allAllowed` for all of them.
 *
 * The choice counts as made when `answered` is `true` and neither `implict` (sic) nor `preconsent` is. `allowSale: false`
 * refuses `marketing`.
 *
 * By default `necessary` is `functional`, `analytics` `analytics`, `marketing` `marketing`; `preferences` and
 * `uncategorized` have no key.
 *
 * Source: captures of 2021 to 2026.
 */
export function cookieHub(options: CookieHubOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieHub',
    options,
    rules: { revision: textOrNumber("the manager's revision, such as 2") },
    defaults: { necessary: 'functional', analytics: 'analytics', marketing: 'marketing' },
    others: ['preferences', 'uncategorized'],
    read,
  })
}

markFactory(cookieHub, 'cookieHub()')

function read(request: TrackedRequest, { revision }: CookieHubOptions): ConsentRecord[] {
  return readBase64Cookies(request, 'cookiehub').flatMap((record) => {
    if (own(record, 'answered') !== true || !hasVersion(record, 'revision', revision)) return []
    const answer = answerOf(record)
    if (answer === undefined) return []
    const isAssumed = ['implict', 'implicit', 'preconsent'].some((name) => own(record, name) === true)
    return [{ ...answer, explicit: !isAssumed }]
  })
}

function answerOf(record: Record<string, unknown>): ConsentRecord | undefined {
  const categories = own(record, 'categories')
  const isAllAllowed = own(record, 'allAllowed')
  if (!Array.isArray(categories)) return undefined
  const choices = choicesOf(categories)
  if (choices === undefined) return undefined
  if (choices.size === 0 && typeof isAllAllowed !== 'boolean') return undefined
  const answer: ConsentRecord =
    choices.size === 0 ? oneAnswer(isAllAllowed === true) : { explicit: true, choices }
  if (own(record, 'allowSale') !== false) return answer
  return { ...answer, choices: new Map<string, Choice>([...answer.choices, ['marketing', false]]) }
}

/** Collects the choices of a list, or returns `undefined` if a member is none. */
function choicesOf(categories: readonly unknown[]): Map<string, Choice> | undefined {
  const choices = new Map<string, Choice>()
  for (const category of categories) {
    const id = isRecord(category) ? own(category, 'id') : undefined
    const value = isRecord(category) ? own(category, 'value') : undefined
    if (typeof id !== 'string' || typeof value !== 'boolean') return undefined
    addChoice(choices, id, value)
  }
  return choices
}
