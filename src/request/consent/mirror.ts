import type { WalkerOS } from '@walkeros/core'
import { booleansOf, bounded, parsedObject, percentDecoded, readCookie } from './decode.js'
import { type CategoryMap, type ConsentReader, consentReader, named } from './reader.js'

/** The options of {@link consentHeader} and {@link consentCookie}. */
export interface MirrorOptions {
  /**
   * The names in your JSON to walkerOS keys; one that you name here and that the JSON leaves out counts as refused. By
   * default the names are walkerOS keys themselves, and one left out is unknown.
   */
  categories?: CategoryMap
}

/**
 * Reads consent that your own front end puts into a header of its requests: JSON such as
 * `{"analytics":true,"marketing":false}`, as it is or percent-encoded.
 *
 * For consent managers that keep their state where no server sees it (Usercentrics, Termly, Osano, Shopify). Only
 * `true` and `false` count. A header that came twice is no JSON any more and is unknown.
 *
 * @param name - The header's name, in any case of letters.
 */
export function consentHeader(name: string, options: MirrorOptions = {}): ConsentReader {
  const header = name.toLowerCase()
  return mirrorReader('consentHeader', options, ({ headers }) => {
    const value = headers[header]
    return typeof value === 'string' ? bounded(value) : undefined
  })
}

/**
 * Reads consent that your own front end or server puts into a cookie: JSON such as
 * `{"analytics":true,"marketing":false}`, as it is, percent-encoded, or as Express's `res.cookie(name, object)` writes
 * it.
 *
 * For consent managers that keep their state where no server sees it (Usercentrics, Termly, Osano, Shopify). Only
 * `true` and `false` count.
 *
 * @param name - The cookie's name.
 *
 * @example
 * // in the browser, when the visitor has chosen:
 * document.cookie = `consent=${encodeURIComponent(JSON.stringify({ analytics: true, marketing: false }))}; path=/`
 * // on the server:
 * consent: consentCookie('consent')
 */
export function consentCookie(name: string, options: MirrorOptions = {}): ConsentReader {
  return mirrorReader('consentCookie', options, (request) => readCookie(request, name))
}

function mirrorReader(
  name: string,
  options: MirrorOptions,
  read: (request: Parameters<ConsentReader>[0]) => string | undefined,
): ConsentReader {
  if (options.categories === undefined) {
    return named(name, (request) => asConsent(mirrored(read(request))))
  }
  return consentReader({
    name,
    options,
    read: (request) => {
      const choices = mirrored(read(request))
      return choices.size === 0 ? undefined : { explicit: true, choices }
    },
  })
}

/** How Express marks a cookie that it made of an object. */
const EXPRESS_JSON = 'j:'

function mirrored(text: string | undefined): Map<string, boolean> {
  if (text === undefined) return new Map()
  const decoded = percentDecoded(text)
  const json = decoded?.startsWith(EXPRESS_JSON) ? decoded.slice(EXPRESS_JSON.length) : decoded
  return booleansOf(parsedObject(json) ?? (json === text ? undefined : parsedObject(text)) ?? {})
}

function asConsent(choices: Map<string, boolean>): WalkerOS.Consent | undefined {
  const consent: WalkerOS.Consent = {}
  for (const [key, granted] of choices) {
    // The names are the sender's: one that every object has would break whoever uses the result.
    if (key in Object.prototype || !/^[\w.:-]{1,64}$/.test(key)) continue
    consent[key] = granted
  }
  return Object.keys(consent).length === 0 ? undefined : consent
}
