import type { Reader } from '../../model/tracked-request.js'
import { decodeCookie } from '../cookies.js'
import { markFactory } from '../reader-factory.js'
import { checkOptions, rule, text } from '../reader-options.js'
import { decodeBase64, findCookie, jsonOf, readMatch, readMember } from './analytics-cookies.js'

const POSTHOG_NAME_END = /.+_posthog$/
/** A UUID of version 7, as posthog-js generates: RFC 9562, section 5.7. */
const POSTHOG_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
/** Five hexadecimal groups, as posthog-js generated before: the first and the last begin with milliseconds of the time. */
const OLDER_POSTHOG_ID = /^[0-9a-f]{12,}-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]{12,}$/i
const MIXPANEL_NAME_END = /.+_mixpanel$/
const AMPLITUDE_NAME_END = /^[0-9A-Za-z]{10}$/
const AMPLITUDE_LEGACY_NAME_END = /^[0-9a-f]{6}$/
/** The device, the user in base64, whether they opted out, and the times of the session in base 32. */
const AMPLITUDE_LEGACY = /^([\w-]+)\.[^.]*\.[^.]*\.[0-9a-v]+\.[0-9a-v]+(?:\.|$)/
/** How much of the API key is in the name of Amplitude's cookies. */
const AMPLITUDE_KEY_LENGTH = 10
const AMPLITUDE_LEGACY_KEY_LENGTH = 6

function isKey(value: unknown): boolean {
  return typeof value === 'string' && value.length >= AMPLITUDE_LEGACY_KEY_LENGTH
}

/** The options of {@link postHogCookie}. */
export interface PostHogOptions {
  /** The project's API key (`phc_…`), for a domain that several projects measure. By default the first cookie is read. */
  project?: string
}

/** The options of {@link mixpanelCookie}. */
export interface MixpanelOptions {
  /** The project's token, for a domain that several projects measure. By default the first cookie is read. */
  token?: string
}

/** The options of {@link amplitudeCookie}. */
export interface AmplitudeOptions {
  /** The project's API key, for a domain that several projects measure. By default the first cookie is read. */
  key?: string
}

/**
 * Reads the device's id from PostHog's cookie `ph_<project>_posthog`. Without it a `distinct_id` counts only if posthog-js
 * generated it: after `identify()` it is the application's own id of the user, perhaps an e-mail address.
 */
export function postHogCookie(options: PostHogOptions = {}): Reader<string> {
  checkOptions<PostHogOptions>('postHogCookie', options, {
    project: text("the project's API key, such as 'phc_…'"),
  })
  const { project } = options
  const name = `ph_${project}_posthog`
  return function postHogCookie({ cookies }) {
    const state = jsonOf(
      project === undefined ? findCookie(cookies, 'ph_', POSTHOG_NAME_END) : cookies.get(name),
    )
    const device = readMember(state, '$device_id')
    if (device !== undefined) return device
    const identified =
      readMember(state, '$user_id') !== undefined || readMember(state, '$user_state') === 'identified'
    const id = identified ? undefined : readMember(state, 'distinct_id')
    return id !== undefined && (POSTHOG_ID.test(id) || OLDER_POSTHOG_ID.test(id)) ? id : undefined
  }
}

markFactory(postHogCookie, 'postHogCookie()')

/**
 * Reads the device's id from Mixpanel's cookie `mp_<token>_mixpanel`. The `distinct_id` beside it is never read: after
 * `identify()` it is the application's own id of the user.
 *
 * Source: `mixpanel-browser` 2.83, `mixpanel-persistence.js` and `mixpanel-core.js`.
 */
export function mixpanelCookie(options: MixpanelOptions = {}): Reader<string> {
  checkOptions<MixpanelOptions>('mixpanelCookie', options, { token: text("the project's token") })
  const { token } = options
  return function mixpanelCookie({ cookies }) {
    const found =
      token === undefined
        ? findCookie(cookies, 'mp_', MIXPANEL_NAME_END)
        : cookies.get(`mp_${token}_mixpanel`)
    return readMember(jsonOf(found), '$device_id')
  }
}

markFactory(mixpanelCookie, 'mixpanelCookie()')

/**
 * Reads the device's id from Amplitude's cookies: that of the Browser SDK 2, `AMP_` and ten characters of the API key, else
 * that of the legacy SDK, `amp_` and six.
 */
export function amplitudeCookie(options: AmplitudeOptions = {}): Reader<string> {
  checkOptions<AmplitudeOptions>('amplitudeCookie', options, {
    key: rule('the API key, or its first ten characters', isKey),
  })
  const { key } = options
  const name = key === undefined ? undefined : `AMP_${key.slice(0, AMPLITUDE_KEY_LENGTH)}`
  const legacyName = key === undefined ? undefined : `amp_${key.slice(0, AMPLITUDE_LEGACY_KEY_LENGTH)}`
  return function amplitudeCookie({ cookies }) {
    const current = name === undefined ? findCookie(cookies, 'AMP_', AMPLITUDE_NAME_END) : cookies.get(name)
    const encoded = decodeCookie(current)
    const device = readMember(jsonOf(encoded && decodeBase64(encoded)), 'deviceId')
    if (device !== undefined) return device
    const legacy =
      legacyName === undefined
        ? findCookie(cookies, 'amp_', AMPLITUDE_LEGACY_NAME_END)
        : cookies.get(legacyName)
    return readMatch(legacy, AMPLITUDE_LEGACY)
  }
}

markFactory(amplitudeCookie, 'amplitudeCookie()')
