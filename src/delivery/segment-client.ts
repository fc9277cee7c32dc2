import { Analytics, type AnalyticsSettings } from '@segment/analytics-node'

/** The options of `@segment/analytics-node` that the settings pass on to the client unchanged. */
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

/** The options of a new client. Four are required, since the SDK's own defaults differ from the documented ones. */
export type ClientSettings = ClientOptions &
  Readonly<Record<'flushAt' | 'flushInterval' | 'maxRetries' | 'httpRequestTimeout', number>>

/** The methods that a stand-in for `Analytics` needs at least. */
export type SegmentClient = Pick<Analytics, 'track' | 'identify' | 'group' | 'page' | 'screen'> &
  Partial<Pick<Analytics, 'alias' | 'closeAndFlush' | 'flush' | 'on'>>

/** The client as the application sees it: the application knows which methods its own stand-in has. */
export function analyticsOf(client: object): Analytics {
  return client instanceof Analytics ? client : (client as Analytics)
}
