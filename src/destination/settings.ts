import type { Destination, Mapping, WalkerOS } from '@walkeros/core'
import type { ClientOptions, ClientSettings, SegmentClient } from '../delivery/index.js'
import type { Integrations } from '../model/segment-call.js'
import type { MappingSettings } from './rule.js'
import type { Rules } from './rules-of-events.js'

/**
 * The settings of walkerOS's Segment destination.
 *
 * @example
 * const settings: Settings = {
 *   writeKey: process.env.SEGMENT_WRITE_KEY ?? '',
 *   identify: { map: { traits: { map: { email: 'user.email' } } } },
 *   consent: { marketing: 'Advertising', analytics: 'Analytics' },
 * }
 */
export interface Settings extends ClientOptions {
  /** The write key of the Segment source. Required; found under Connections > Sources > Settings > API Keys. */
  writeKey: string
  /** Where an event holds the userId: a walkerOS mapping value. Defaults to `user.id`. */
  userId?: Mapping.Value
  /** Where an event holds the anonymousId: a walkerOS mapping value. Defaults to `user.session`. */
  anonymousId?: Mapping.Value
  /**
   * Base URL of Segment's API; `https://events.eu1.segmentapis.com` for the EU. A path in it goes before `path`. Defaults to
   * `https://api.segment.io`.
   */
  host?: string
  /** Path of the API. Defaults to `/v1/batch`. */
  path?: string
  /**
   * Calls that make a batch full. Left out, 15 are enough for one; the middleware's then grows with the traffic, up to
   * `delivery.maxBatch`. Defaults to 15.
   */
  flushAt?: number
  /** Milliseconds after which a batch is sent although it is not full. Defaults to 10000. */
  flushInterval?: number
  /** How often the client retries a failed batch. Defaults to 3. */
  maxRetries?: number
  /** Timeout of one request to Segment in milliseconds. Defaults to 10000. */
  httpRequestTimeout?: number
  /** Sends nothing at all when `true`: every event is dropped with the reason `disabled`. Defaults to `false`. */
  disable?: boolean
  /**
   * The person's traits, for every event: a walkerOS mapping value that gives `{ traits }`, and `userId` where it differs.
   * Calls `identify()` for a person's first event and again when their traits or anonymousId change.
   */
  identify?: Mapping.Value
  /**
   * The person's group, for every event: a walkerOS mapping value that gives `{ groupId, traits }`.
   * Calls `group()` for a person's first event in a group and again when the group's traits change.
   */
  group?: Mapping.Value
  /**
   * Maps walkerOS consent keys to Segment categories: `{ marketing: 'Advertising' }`. Every call then carries every
   * category as `true` or `false`; a category with several keys is `true` if all of them are granted.
   */
  consent?: Record<string, string>
  /** Turns Segment's destinations on and off: `{ All: true, Mixpanel: false }`. Sent with every call. */
  integrations?: Integrations
  /**
   * Adds to Segment's `context`: a walkerOS mapping value that gives an object, such as `{ map: { ip: 'user.ip' } }`.
   * The middleware adds the request's context in any case.
   */
  context?: Mapping.Value
  /**
   * Gives every call a `messageId` in a walkerOS collector, too. The middleware always does.
   * Defaults to `false`: the client generates one.
   */
  messageId?: boolean
}

/** Replacements for the destination's own parts. */
export interface Env extends Destination.BaseEnv {
  /** Used instead of a new client: the application's own, or one that records. */
  analytics?: SegmentClient
}

/** walkerOS's type bundle of this destination. */
export type Types = Destination.Types<Settings, MappingSettings, Env, Partial<Settings>>

/**
 * The part of walkerOS's destination config that needs no collector, as `createTracking` takes it.
 *
 * Source: the Segment destination's documentation, "Configuration" and "Mapping".
 */
export interface SegmentDestinationConfig {
  /** The Segment settings. */
  settings: Settings
  /** Rules that rename, reshape, redirect or ignore events by entity and action. */
  mapping?: Rules
  /** Consent keys of which one has to be granted; without one the event is dropped with the reason `consent`. */
  consent?: WalkerOS.Consent
  /** Makes the properties of every event: a walkerOS mapping value. A rule's own `data` is merged over it. */
  data?: Mapping.Data
  /** Adds sections of the event to the properties, flattened: `['context', 'globals']`, or `['all']`. */
  include?: string[]
  /** Changes every event before its rule is looked up: mapping values by the path that they are set at. */
  policy?: Mapping.Policy
  /** Replacements for the destination's own parts, such as a client that records. */
  env?: Env
  /** A name for this destination in logs. */
  id?: string
  /** Turns tracking off: every event is dropped with the reason `disabled`. Defaults to `false`. */
  disabled?: boolean
  /** Level and handler of the log. Defaults to errors on the console. */
  logger?: Destination.Config['logger']
}

/** The settings' documented defaults. */
export const SETTINGS_DEFAULTS = {
  userId: 'user.id',
  anonymousId: 'user.session',
  flushAt: 15,
  flushInterval: 10_000,
  maxRetries: 3,
  httpRequestTimeout: 10_000,
} as const

/**
 * Picks the client's options from the settings, with the documented defaults, which differ from the SDK's.
 *
 * @throws If the write key is missing.
 */
export function clientSettings(settings: Partial<Settings>): ClientSettings {
  const { writeKey } = settings
  if (typeof writeKey !== 'string' || writeKey.trim() === '') {
    throw new Error(
      'settings.writeKey is missing: expected the write key of your Segment source ' +
        '(Connections > Sources > Settings > API Keys)',
    )
  }
  return {
    writeKey,
    host: settings.host,
    path: settings.path,
    flushAt: settings.flushAt ?? SETTINGS_DEFAULTS.flushAt,
    flushInterval: settings.flushInterval ?? SETTINGS_DEFAULTS.flushInterval,
    maxRetries: settings.maxRetries ?? SETTINGS_DEFAULTS.maxRetries,
    httpRequestTimeout: settings.httpRequestTimeout ?? SETTINGS_DEFAULTS.httpRequestTimeout,
    disable: settings.disable,
    httpClient: settings.httpClient,
    oauthSettings: settings.oauthSettings,
    maxTotalBackoffDuration: settings.maxTotalBackoffDuration,
    maxRateLimitDuration: settings.maxRateLimitDuration,
  }
}
