import { Analytics, type AnalyticsSettings } from '@segment/analytics-node'

/** The options of `@segment/analytics-node` that the settings hand through to the client as they are. */
export type ClientOptions = Pick<
  AnalyticsSettings,
  | 'writeKey'
  | 'host'
  | 'path'
  | 'flushAt'
  | 'flushInterval'
  | 'maxRetries'
  | 'httpRequestTimeout'
  | 'disable'
  | 'httpClient'
  | 'oauthSettings'
  | 'maxTotalBackoffDuration'
  | 'maxRateLimitDuration'
>

/** What a client is made with: some of it always, since the SDK's own defaults are not those of the documentation. */
export type ClientSettings = ClientOptions &
  Readonly<Record<'flushAt' | 'flushInterval' | 'maxRetries' | 'httpRequestTimeout', number>>

/** The least that a client has to offer to stand in for `Analytics`. */
export type SegmentClient = Pick<Analytics, 'track' | 'identify' | 'group' | 'page' | 'screen'> &
  Partial<Pick<Analytics, 'alias' | 'closeAndFlush' | 'flush' | 'on'>>

/** The client as the application sees it: the one it put in the client's place has the methods that it knows of. */
export function analyticsOf(client: object): Analytics {
  return client instanceof Analytics ? client : (client as Analytics)
}
