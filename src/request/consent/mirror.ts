import type { WalkerOS } from '@walkeros/core'
import type { TrackedRequest } from '../../model/tracked-request.js'
import { checkCookieName, checkHeaderName } from '../names.js'
import { markFactory } from '../reader-factory.js'
import { categoryMap, checkOptions } from '../reader-options.js'
import { booleansOf, bounded, parsedObject, percentDecoded, readCookies } from './decode.js'
import { strictestRecord } from './mapping.js'
import { type ConsentReader, consentReader, named } from './reader.js'
import type { CategoryMap } from './record.js'

/** The options of {@link consentHeader} and {@link consentCookie}. */
export interface MirrorOptions {
  /**
   * Maps the names in your JSON to walkerOS keys. A name in this map that the JSON leaves out counts as refused. By
   * default the names are walkerOS keys themselves, and a missing one is unknown.
   */
  categories?: CategoryMap
}

/**
 * Reads consent that your own front end puts into a header of its requests: JSON such as
 * `{"analytics":true,"marketing":false}`, plain or percent-encoded.
 *
 * Use it for consent managers whose state no server sees (Usercentrics, Termly, Osano, Shopify). Only `true` and
 * `false` count. A header that came twice is not valid JSON, so it is unknown.
 *
 * @param name - The header's name, in upper or lower case.
 * @throws TypeError if this cannot be a header's name, or an option is wrong.
 */
export function consentHeader(name: string, options: MirrorOptions = {}): ConsentReader {
  checkHeaderName('consentHeader', name)
  const header = name.toLowerCase()
  return mirrorReader('consentHeader', options, ({ headers }) => {
    const value = headers[header]
    const text = typeof value === 'string' ? bounded(value) : undefined
    return text === undefined ? [] : [text]
  })
}

markFactory(consentHeader, "consentHeader('x-consent')")

/**
 * Reads consent that your own front end or server puts into a cookie: JSON such as
 * `{"analytics":true,"marketing":false}`, plain, percent-encoded, or as written by Express's
 * `res.cookie(name, object)`.
 *
 * Use it for consent managers whose state no server sees (Usercentrics, Termly, Osano, Shopify). Only `true` and
 * `false` count.
 *
 * @param name - The cookie's name.
 * @throws TypeError if this cannot be a cookie's name, or an option is wrong.
 *
 * @example
 * // in the browser, when the visitor has chosen:
 * document.cookie = `consent=${encodeURIComponent(JSON.stringify({ analytics: true, marketing: false }))}; path=/`
 * // on the server:
 * consent: consentCookie('consent')
 */
export function consentCookie(name: string, options: MirrorOptions = {}): ConsentReader {
  checkCookieName('consentCookie', name)
  return mirrorReader('consentCookie', options, (request) => readCookies(request, name))
}

markFactory(consentCookie, "consentCookie('consent')")

function mirrorReader(
  name: string,
  options: MirrorOptions,
  texts: (request: TrackedRequest) => readonly string[],
): ConsentReader {
  checkOptions<MirrorOptions>(name, options, { categories: categoryMap() })
  if (options.categories === undefined) {
    return named(name, (request: TrackedRequest) => {
      const [first, ...more] = texts(request)
        .map((text) => asConsent(mirrored(text)))
        .filter((consent) => consent !== undefined)
      return more.length === 0 ? first : strictestRecord([first, ...more])
    })
  }
  return consentReader({
    name,
    options,
    rules: {},
    read: (request) =>
      texts(request).flatMap((text) => {
        const choices = mirrored(text)
        return choices.size === 0 ? [] : [{ explicit: true, choices }]
      }),
  })
}

/** Express's prefix of a cookie that holds an object. */
const EXPRESS_JSON = 'j:'

function mirrored(text: string): Map<string, boolean> {
  const decoded = percentDecoded(text)
  const json = decoded?.startsWith(EXPRESS_JSON) ? decoded.slice(EXPRESS_JSON.length) : decoded
  return booleansOf(parsedObject(json) ?? (json === text ? undefined : parsedObject(text)) ?? {})
}

function asConsent(choices: Map<string, boolean>): WalkerOS.Consent | undefined {
  const consent: WalkerOS.Consent = {}
  for (const [key, granted] of choices) {
    // The sender chooses the names. One that every object inherits would break code that uses the result.
    if (key in Object.prototype || !/^[\w.:-]{1,64}$/.test(key)) continue
    consent[key] = granted
  }
  return Object.keys(consent).length === 0 ? undefined : consent
}
