import type { TrackingConfig } from '../../config/config.js'

import { createTracking } from '../../tracking.js'
import type { Finding } from './report.js'

const DEFAULT_HOST = 'https://api.segment.io'
const TIMEOUT_MS = 10_000

/**
 * Sends one event, `reqtrack doctor` of the anonymousId `reqtrack-doctor`, and tells what came of it.
 *
 * @param settings - The settings of the application's configuration.
 */
export async function checkEndpoint(settings: TrackingConfig['settings'] | undefined): Promise<Finding> {
  const writeKey = settings?.writeKey || process.env.SEGMENT_WRITE_KEY || ''
  const host = settings?.host ?? process.env.SEGMENT_HOST ?? DEFAULT_HOST
  if (writeKey === '' || writeKey === 'unused')
    return wrong(['no write key: set SEGMENT_WRITE_KEY, or name a config that has one'])
  const tracking = createTracking({
    settings: {
      ...onlyClient(settings),
      writeKey,
      host,
      flushInterval: 1,
      httpRequestTimeout: TIMEOUT_MS / 2,
    },
    validate: false,
    logger: { handler: () => {} },
  })
  tracking.run({ user: { session: 'reqtrack-doctor' } }, (tracker) => tracker.track('reqtrack doctor'))
  await tracking.flush({ timeout: TIMEOUT_MS })
  const { delivered } = tracking.stats().calls
  const { state, lastError } = tracking.health()
  await tracking.shutdown({ timeout: 1 })
  const where = new URL(host).host
  if (delivered === 1)
    return {
      state: 'ok',
      about: 'endpoint',
      lines: [
        `${where} has taken the event "reqtrack doctor"`,
        'Segment takes calls for any write key: look for it in the debugger of your source.',
      ],
    }
  return wrong([`${where} has not taken an event (${state}): ${lastError ?? 'no answer in time'}`])
}

function onlyClient(settings: TrackingConfig['settings'] | undefined): Partial<TrackingConfig['settings']> {
  const { path, httpClient, oauthSettings } = settings ?? {}
  return {
    ...(path !== undefined && { path }),
    ...(httpClient && { httpClient }),
    ...(oauthSettings && { oauthSettings }),
  }
}

function wrong(lines: readonly string[]): Finding {
  return { state: 'wrong', about: 'endpoint', lines }
}
