import type { HTTPClient, HTTPResponse } from '@segment/analytics-node'
import type { TrackingConfig } from './config.js'

/**
 * Replaces in a configuration with `dryRun` what leaves the process: requests are answered here, an outbox is not opened,
 * since what others have left in it would count as sent, and a shared memory hears of nobody, since nobody is told.
 * Any other configuration stays as it is.
 */
export function withoutRequests(config: TrackingConfig): TrackingConfig {
  if (config.dryRun !== true) return config
  const { outbox: _, send: __, ...delivery } = config.delivery ?? {}
  return {
    ...config,
    delivery,
    memory: undefined,
    env: { ...config.env, analytics: undefined },
    settings: { ...config.settings, httpClient: new AnsweringClient(), oauthSettings: undefined },
  }
}

/** Answers the client's requests as Segment does. */
class AnsweringClient implements HTTPClient {
  /** Called by the SDK for each batch. */
  async makeRequest(): Promise<HTTPResponse> {
    return { status: 200, statusText: 'OK' }
  }
}
