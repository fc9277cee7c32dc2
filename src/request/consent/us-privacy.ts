import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieNames } from '../reader-options.js'
import { cookieValues, MAX_VALUES } from './cookie-values.js'
import { bounded, own, parsedObject, percentDecoded, unquoted } from './decode.js'
import { type ConsentReader, type OptOutOptions, optOutReader } from './reader.js'

/** The options of {@link usPrivacy}. */
export interface UsPrivacyOptions extends OptOutOptions {
  /** The cookies that may hold the string. An opt-out in any of them counts. Defaults to `usprivacy`, `us_privacy`. */
  cookies?: readonly string[]
}

/**
 * Reads the opt-out of sale in the IAB's US Privacy string: the third character of `1YYN` in the cookie `usprivacy`.
 * iubenda writes the string into JSON in that cookie, as `uspString`.
 *
 * It only refuses: the signal `sale` refuses `marketing` by default. A string without an opt-out grants nothing. The
 * IAB has retired the string in favour of GPP (see `gpp`), but many sites still send it.
 *
 * Source: IAB, "U.S. Privacy String", version 1.
 */
export function usPrivacy(options: UsPrivacyOptions = {}): ConsentReader {
  return optOutReader({
    name: 'usPrivacy',
    signals: ['sale'],
    options,
    rules: { cookies: cookieNames },
    read,
  })
}

markFactory(usPrivacy, 'usPrivacy()')

function read(
  request: TrackedRequest,
  { cookies = ['usprivacy', 'us_privacy'] }: UsPrivacyOptions,
): string[] {
  return cookies.some((cookie) => isRefused(cookieValues(request, cookie))) ? ['sale'] : []
}

/** Whether a US Privacy string says that the visitor opted out of the sale of their data, whatever it says beside it. */
export function isOptedOutOfSale(privacyString: string): boolean {
  return /^1.Y.$/i.test(privacyString)
}

function isRefused(values: readonly string[]): boolean {
  // More values than a browser sends hide what the visitor said, so the strictest answer counts.
  return values.length > MAX_VALUES || values.some((value) => isOptedOutOfSale(privacyString(value)))
}

function privacyString(value: string): string {
  const text = signalText(value)
  if (!text.startsWith('{')) return text
  const record = parsedObject(text)
  const inside = record === undefined ? undefined : own(record, 'uspString')
  return typeof inside === 'string' ? inside : ''
}

/** Decodes a cookie that holds a signal, without quotes and spaces around it. Empty if it is malformed or too long. */
export function signalText(value: string): string {
  const text = percentDecoded(unquoted(bounded(value) ?? ''))?.trim() ?? ''
  return unquoted(text).trim()
}
