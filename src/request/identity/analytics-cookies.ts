import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { decodeCookie } from '../cookies.js'
import { parseJson } from '../json.js'
import { markFactory } from '../reader-factory.js'
import { checkOptions, text, textOrNumber } from '../reader-options.js'
import { readCookieId, readId } from './id.js'

const RUDDERSTACK_PREFIX = 'RS_ENC_v3_'
const RUDDERSTACK_ENCRYPTED = 'RudderEncrypt:'
/** Google's cookie, and how it was written in 2013, without the letters. */
const GOOGLE_ANALYTICS = /^GA[0-9]+\.[0-9-]+\.([\w.-]+)$|^[0-9]+\.[0-9-]+\.([0-9]+\.[0-9]+)$|^(amp-[\w-]+)$/
const GOOGLE_TAG_SERVER = /^FPID[0-9]+\.[0-9-]+\.([\w.+/=-]+)$/
const SNOWPLOW = /^([0-9A-Za-z-]+)\./
const MATOMO = /^([0-9a-f]{16})(?:\.|$)/i
const HASH = /^[0-9a-f]+$/i
const SITE_AND_HASH = /^[\w-]+\.[0-9a-f]+$/i

const cookiePrefix = text("the beginning of the cookies' names, such as '_pk_'")

/** The options of {@link googleAnalyticsCookie}. */
export interface GoogleAnalyticsOptions {
  /** The `cookie_prefix` of the site's tag: `shop` reads `shop_ga`. None by default. */
  prefix?: string
}

/** The options of {@link snowplowCookie}. */
export interface SnowplowOptions {
  /** The tracker's `cookieName`, with which its cookies begin. Defaults to `_sp_`. */
  prefix?: string
}

/** The options of {@link matomoCookie}. */
export interface MatomoOptions {
  /** The tracker's `setCookieNamePrefix`, with which its cookies begin. Defaults to `_pk_`. */
  prefix?: string
  /** The id of the site in Matomo, for a domain that several of them measure. By default the first cookie is read. */
  siteId?: string | number
}

/**
 * Reads the anonymous id of walkerOS in the browser: the device's id, else the session's. The browser source keeps both
 * in `localStorage` by default, which no server sees: set its `deviceStorage: 'cookie'`.
 */
export function walkerOSCookies(): Reader<string> {
  return function walkerOSCookies({ cookies }) {
    return readCookieId(cookies.get('elbDeviceId')) ?? readMember(jsonOf(cookies.get('elbSessionId')), 'id')
  }
}

markFactory(walkerOSCookies, 'walkerOSCookies()')

/**
 * Reads the anonymous id of RudderStack's JavaScript SDK from `rl_anonymous_id`, in the form of its third version or
 * plain, as its current version writes it when it cannot load its encryption. Values that older versions encrypted are
 * not read.
 */
export function rudderStackCookie(): Reader<string> {
  return function rudderStackCookie({ cookies }) {
    const raw = cookies.get('rl_anonymous_id')
    const text = decodeCookie(raw)
    const inside = text?.startsWith('"') ? parseJson(text) : text
    if (typeof inside !== 'string' || inside.startsWith(RUDDERSTACK_ENCRYPTED)) return undefined
    if (!inside.startsWith(RUDDERSTACK_PREFIX)) return readCookieId(raw)
    const value = parseJson(decodeBase64(inside.slice(RUDDERSTACK_PREFIX.length)))
    return typeof value === 'string' ? readId(value) : undefined
  }
}

markFactory(rudderStackCookie, 'rudderStackCookie()')

/**
 * Reads the client id of Google Analytics from `_ga`: `1033501218.1368477899` of `GA1.2.1033501218.1368477899`, and the
 * `amp-…` of an AMP page.
 */
export function googleAnalyticsCookie(options: GoogleAnalyticsOptions = {}): Reader<string> {
  checkOptions<GoogleAnalyticsOptions>('googleAnalyticsCookie', options, {
    prefix: text("the tag's cookie_prefix, such as 'shop'"),
  })
  const { prefix = '' } = options
  const name = `${prefix}_ga`
  return function googleAnalyticsCookie({ cookies }) {
    return readMatch(cookies.get(name), GOOGLE_ANALYTICS)
  }
}

markFactory(googleAnalyticsCookie, 'googleAnalyticsCookie()')

/** Reads the client id of a server-side Google Tag Manager from `FPID`, a cookie that scripts cannot see. */
export function googleTagServerCookie(): Reader<string> {
  return function googleTagServerCookie({ cookies }) {
    return readMatch(cookies.get('FPID'), GOOGLE_TAG_SERVER)
  }
}

markFactory(googleTagServerCookie, 'googleTagServerCookie()')

/** Reads the domain user id from Snowplow's cookie `_sp_id.<hash>`. */
export function snowplowCookie(options: SnowplowOptions = {}): Reader<string> {
  checkOptions<SnowplowOptions>('snowplowCookie', options, { prefix: cookiePrefix })
  const { prefix = '_sp_' } = options
  const start = `${prefix}id.`
  return function snowplowCookie({ cookies }) {
    return readMatch(findCookie(cookies, start, HASH), SNOWPLOW)
  }
}

markFactory(snowplowCookie, 'snowplowCookie()')

/** Reads the visitor's id from Matomo's cookie `_pk_id.<site>.<hash>`. */
export function matomoCookie(options: MatomoOptions = {}): Reader<string> {
  checkOptions<MatomoOptions>('matomoCookie', options, {
    prefix: cookiePrefix,
    siteId: textOrNumber('the id of the site, such as 1'),
  })
  const { prefix = '_pk_', siteId } = options
  const start = siteId === undefined ? `${prefix}id.` : `${prefix}id.${siteId}.`
  const rest = siteId === undefined ? SITE_AND_HASH : HASH
  return function matomoCookie({ cookies }) {
    return readMatch(findCookie(cookies, start, rest), MATOMO)
  }
}

markFactory(matomoCookie, 'matomoCookie()')

/** Finds the first cookie whose name begins with a text and goes on in a form. */
export function findCookie(
  cookies: TrackedRequest['cookies'],
  start: string,
  rest: RegExp,
): string | undefined {
  for (const name of cookies.keys()) {
    if (name.startsWith(start) && rest.test(name.slice(start.length))) return cookies.get(name)
  }
  return undefined
}

/** Reads the id that a cookie holds in a form: the first group of it that matches. */
export function readMatch(raw: string | undefined, form: RegExp): string | undefined {
  const text = decodeCookie(raw)
  return text === undefined ? undefined : readId(form.exec(text)?.slice(1).find(Boolean))
}

/** Parses a cookie that holds JSON. */
export function jsonOf(raw: string | undefined): unknown {
  return parseJson(decodeCookie(raw))
}

/** Reads an id from a parsed object's own member. */
export function readMember(value: unknown, key: string): string | undefined {
  return isRecord(value) && Object.hasOwn(value, key) ? readId(value[key]) : undefined
}

/** Decodes base64 text. */
export function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
