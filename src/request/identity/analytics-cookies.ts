import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { decodeCookie } from '../cookies.js'
import { parseJson } from '../json.js'
import { readCookieId, readId } from './id.js'

const RUDDERSTACK_PREFIX = 'RS_ENC_v3_'
const GOOGLE_ANALYTICS = /^GA[0-9]+\.[0-9-]+\.([\w.-]+)$/
const GOOGLE_TAG_SERVER = /^FPID[0-9]+\.[0-9-]+\.([\w.+/=-]+)$/
const POSTHOG_NAME = /^ph_.+_posthog$/
const AMPLITUDE_NAME = /^AMP_[0-9A-Za-z]{10}$/
const SNOWPLOW_NAME = /^_sp_id\.[0-9a-f]+$/
const SNOWPLOW = /^([0-9A-Za-z-]+)\./
const MATOMO_NAME = /^_pk_id\.[\w-]+\.[0-9a-f]+$/
const MATOMO = /^([0-9a-f]{16})(?:\.|$)/

/**
 * Reads the anonymous id of walkerOS in the browser: the device's id, else the session's. The browser source keeps both
 * in `localStorage` by default, which no server sees: set its `deviceStorage: 'cookie'`.
 */
export function walkerOSCookies(): Reader<string> {
  return function walkerOSCookies({ cookies }) {
    return readCookieId(cookies.get('elbDeviceId')) ?? readMember(jsonOf(cookies.get('elbSessionId')), 'id')
  }
}

/**
 * Reads the anonymous id of RudderStack's JavaScript SDK from `rl_anonymous_id`, in the form of its third version.
 * Values that older versions encrypted are not read.
 */
export function rudderStackCookie(): Reader<string> {
  return function rudderStackCookie({ cookies }) {
    const text = decodeCookie(cookies.get('rl_anonymous_id'))
    if (!text?.startsWith(RUDDERSTACK_PREFIX)) return undefined
    const value = parseJson(decodeBase64(text.slice(RUDDERSTACK_PREFIX.length)))
    return typeof value === 'string' ? readId(value) : undefined
  }
}

/** Reads the client id of Google Analytics from `_ga`: `1033501218.1368477899` of `GA1.2.1033501218.1368477899`. */
export function googleAnalyticsCookie(): Reader<string> {
  return function googleAnalyticsCookie({ cookies }) {
    return readMatch(cookies.get('_ga'), GOOGLE_ANALYTICS)
  }
}

/** Reads the client id of a server-side Google Tag Manager from `FPID`, a cookie that scripts cannot see. */
export function googleTagServerCookie(): Reader<string> {
  return function googleTagServerCookie({ cookies }) {
    return readMatch(cookies.get('FPID'), GOOGLE_TAG_SERVER)
  }
}

/**
 * Reads the device's id from PostHog's cookie `ph_<project>_posthog`. Its `distinct_id` counts only until a user is
 * identified, since it is then the user's id.
 */
export function postHogCookie(): Reader<string> {
  return function postHogCookie({ cookies }) {
    const state = jsonOf(findCookie(cookies, 'ph_', POSTHOG_NAME))
    const device = readMember(state, '$device_id')
    if (device !== undefined) return device
    const identified =
      readMember(state, '$user_id') !== undefined || readMember(state, '$user_state') === 'identified'
    return identified ? undefined : readMember(state, 'distinct_id')
  }
}

/** Reads the device's id from the cookie of Amplitude's Browser SDK 2: `AMP_` and ten characters of the API key. */
export function amplitudeCookie(): Reader<string> {
  return function amplitudeCookie({ cookies }) {
    const encoded = decodeCookie(findCookie(cookies, 'AMP_', AMPLITUDE_NAME))
    return readMember(jsonOf(encoded && decodeBase64(encoded)), 'deviceId')
  }
}

/** Reads the domain user id from Snowplow's cookie `_sp_id.<hash>`. */
export function snowplowCookie(): Reader<string> {
  return function snowplowCookie({ cookies }) {
    return readMatch(findCookie(cookies, '_sp_id.', SNOWPLOW_NAME), SNOWPLOW)
  }
}

/** Reads the visitor's id from Matomo's cookie `_pk_id.<site>.<hash>`. */
export function matomoCookie(): Reader<string> {
  return function matomoCookie({ cookies }) {
    return readMatch(findCookie(cookies, '_pk_id.', MATOMO_NAME), MATOMO)
  }
}

/** Finds a cookie by the form of its name. The prefix check is cheap and skips most names. */
function findCookie(cookies: TrackedRequest['cookies'], prefix: string, form: RegExp): string | undefined {
  for (const [name, value] of cookies) if (name.startsWith(prefix) && form.test(name)) return value
}

function readMatch(raw: string | undefined, form: RegExp): string | undefined {
  const text = decodeCookie(raw)
  return text === undefined ? undefined : readId(form.exec(text)?.[1])
}

function jsonOf(raw: string | undefined): unknown {
  return parseJson(decodeCookie(raw))
}

function readMember(value: unknown, key: string): string | undefined {
  return isRecord(value) && Object.hasOwn(value, key) ? readId(value[key]) : undefined
}

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
