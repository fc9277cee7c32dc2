import type { Analytics } from '@segment/analytics-node'
import type { RequestReport } from '../observe/step.js'
import { Carriers } from './carriers.js'
import { CLIENT_FLUSH_INTERVAL_MS, Client } from './client.js'
import { ClientCalls, type OutcomeListener } from './client-calls.js'
import { ClientMissing } from './failure.js'
import { Gate } from './gate.js'
import { DEFAULT_LIMITS } from './limits.js'
import { OAuthToken } from './oauth-token.js'
import type { Unsettled } from './process-end.js'
import { withHiddenGlobals } from './sdk-globals.js'
import { hasListeners } from './sdk-onlookers.js'
import { SdkTexts } from './sdk-texts.js'
import type { ClientSettings } from './segment-client.js'
import { segmentSdk } from './segment-sdk/index.js'
import { Transport, type TransportParts } from './transport.js'
import { UnrefHttpClient } from './unref-http-client.js'

/** The SDK's default for the seconds that it retries a batch, or waits at Segment's request. */
const SDK_MAX_DURATION_S = 43_200

/** What the SDK emits about its requests, with their bodies. */
const REQUESTS: readonly string[] = ['http_request', 'http_response']

/** What a client that does not keep the process alive shares with its delivery. */
export interface ClientRoute {
  /** Decides when requests may go, and how many at a time. */
  readonly gate: Gate
  /** Counts the batches without an outcome. */
  readonly unsettled: Unsettled
  /** The observer of requests, if there is one. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** The parts in which clients differ. */
type TransportChoice = Pick<TransportParts, 'gate' | 'custom' | 'observer' | 'unsettled' | 'abort'>

/** Makes a client that batches calls as the SDK does, and keeps the process alive until they are sent. */
export function createClient(settings: ClientSettings, listener: OutcomeListener): Client {
  const gate = new Gate(DEFAULT_LIMITS.maxInFlight, { keepsAlive: true })
  return create(settings, listener, { gate, custom: settings.httpClient, observer: () => undefined })
}

/** Makes a client that sends its calls at once, and does not keep the process alive. */
export function createUnrefClient(
  settings: ClientSettings,
  listener: OutcomeListener,
  route: ClientRoute,
): Client {
  const http = settings.httpClient === undefined ? new UnrefHttpClient() : undefined
  const parts = {
    gate: route.gate,
    unsettled: route.unsettled,
    custom: http ?? settings.httpClient,
    observer: () => route.observer(),
    abort: (reason: Error) => http?.abort(reason),
  }
  // An application's own HTTP client may look into what it is given.
  const mayCarry = settings.httpClient === undefined
  const own = { ...settings, flushInterval: CLIENT_FLUSH_INTERVAL_MS }
  return create(own, listener, parts, mayCarry)
}

/** @param mayCarry - Whether the SDK may be given whole batches as one call. */
function create(
  settings: ClientSettings,
  listener: OutcomeListener,
  choice: TransportChoice,
  mayCarry = false,
): Client {
  const { maxRetries, flushAt, oauthSettings, maxTotalBackoffDuration, maxRateLimitDuration } = settings
  const calls = new ClientCalls(listener, choice.unsettled)
  const texts = new SdkTexts()
  const carriers = new Carriers(calls, texts)
  const transport = new Transport({
    ...choice,
    calls,
    carriers,
    oauth: oauthSettings && new OAuthToken(oauthSettings, choice.custom),
    maxRetries,
    maxBackoffMs: (maxTotalBackoffDuration ?? SDK_MAX_DURATION_S) * 1_000,
    maxRateLimitMs: (maxRateLimitDuration ?? SDK_MAX_DURATION_S) * 1_000,
    flushAt,
  })
  const sdkSettings = {
    ...settings,
    path: pathOf(settings),
    httpClient: transport,
    // The transport retries: each pause of the SDK leaks a listener and keeps the process alive.
    maxRetries: 0,
    // The transport has the token, too: the SDK asks for it without pauses.
    oauthSettings: undefined,
  }
  const make = () => {
    const analytics = new (loadSdk().Analytics)(sdkSettings)
    containEvents(analytics, listener, carriers)
    return analytics
  }
  return new Client({ calls, transport, make, batches: mayCarry ? { carriers, texts } : undefined })
}

/** @throws ClientMissing */
function loadSdk(): ReturnType<typeof segmentSdk> {
  try {
    return withHiddenGlobals(segmentSdk)
  } catch (error) {
    throw new ClientMissing(error)
  }
}

/** The path of the API behind that of the host, which the SDK would drop. */
function pathOf({ host, path = '/v1/batch' }: ClientSettings): string {
  const { pathname, search } = new URL(host ?? 'https://api.segment.io')
  return `${pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}${path.includes('?') ? '' : search}`
}

/**
 * Contains what listeners of `drained` throw, which the SDK would let end the process as an unhandled rejection, and keeps
 * from listeners that the SDK was given batches as one call.
 */
function containEvents(analytics: Analytics, listener: OutcomeListener, carriers: Carriers): void {
  const { emit } = analytics
  analytics.emit = (event, ...told) => {
    if (carriers.isHidden(event, told[0])) return analytics
    try {
      const shown =
        REQUESTS.includes(event) && hasListeners(analytics, event) ? told.map(carriers.shown) : told
      Reflect.apply(emit, analytics, [event, ...shown])
    } catch (error) {
      if (event !== 'drained') throw error
      listener.listenerFailed?.(event, error)
    }
    return analytics
  }
}
