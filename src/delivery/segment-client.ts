import type { Analytics, AnalyticsSettings } from '@segment/analytics-node'

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
  return client as Analytics
}

/** What a delivery has to know of a client that the application made, and that the SDK keeps to itself. */
export interface SdkTraits {
  /** How many calls fill a batch. */
  readonly flushAt: number | undefined
  /** Milliseconds after which a partial batch is sent. */
  readonly flushIntervalMs: number
  readonly writeKey: string | undefined
  /** Whether calls succeed without a request. */
  readonly isDisabled: boolean
  /** Whether requests wait for a token first. */
  readonly hasOAuth: boolean
}

/**
 * Reads private fields of the SDK.
 *
 * @returns `undefined` for a stand-in that is not the SDK's client.
 */
export function sdkTraitsOf(client: object): SdkTraits | undefined {
  const publisher: unknown = read(client, '_publisher')
  if (typeof publisher !== 'object' || publisher === null) return undefined
  const flushAt = read(publisher, '_flushAt')
  const flushInterval = read(publisher, '_flushInterval')
  const writeKey = read(publisher, '_writeKey')
  return {
    flushAt: typeof flushAt === 'number' && flushAt >= 1 ? flushAt : undefined,
    flushIntervalMs: typeof flushInterval === 'number' && flushInterval >= 0 ? flushInterval : 10_000,
    writeKey: typeof writeKey === 'string' ? writeKey : undefined,
    isDisabled: read(publisher, '_disable') === true,
    hasOAuth: read(publisher, '_tokenManager') !== undefined,
  }
}

/** Whether the SDK waits because Segment has asked it to. */
export function isRateLimited(client: object): boolean {
  const publisher: unknown = read(client, '_publisher')
  const until = typeof publisher === 'object' && publisher !== null && read(publisher, '_rateLimitedUntil')
  return typeof until === 'number' && until > Date.now()
}

/** Whether the application has closed the SDK's client. */
export function isClosed(client: object): boolean {
  return read(client, '_isClosed') === true
}

/** Settles when the plugins are loaded that were registered so far: the SDK holds all calls until then. */
export function pluginsLoaded(client: object): unknown {
  const queue = read(client, '_queue')
  const tasks = typeof queue === 'object' && queue !== null ? read(queue, 'criticalTasks') : undefined
  const done = typeof tasks === 'object' && tasks !== null ? read(tasks, 'done') : undefined
  return typeof done === 'function' ? done() : undefined
}

/** How many calls the SDK holds, if it says. */
export function heldBySdk(client: object): number | undefined {
  const held = read(client, '_pendingEvents')
  return typeof held === 'number' ? held : undefined
}

function read(owner: object, name: string): unknown {
  try {
    return Reflect.get(owner, name)
  } catch {
    return undefined
  }
}
