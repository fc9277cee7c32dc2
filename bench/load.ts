import type { EventEmitter } from 'node:events'
import autocannon from 'autocannon'
import { HEADERS } from './in-process/requests.js'
import { serve } from './processes.js'

/** What the load process is to send. */
export interface Load {
  readonly url: string
  readonly requests: number
  readonly connections: number
  /** JSON that each request sends. */
  readonly body?: string
  /** Requests a second; as many as possible where it is left out. */
  readonly rate?: number
}

/** What came of it. */
export interface LoadResult {
  /** When it began, in milliseconds since 1970. */
  readonly startedAt: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Requests that had no answer, or one that is no success. */
  readonly failed: number
}

/** What it returns is both; its types do not say so. */
type Shooting = Promise<autocannon.Result> & Partial<EventEmitter>

const commands = {
  async send({ url, requests, connections, rate, body }: Load): Promise<LoadResult> {
    const { host: _, ...headers } = HEADERS
    const started = performance.now()
    let ended = started
    const shooting: Shooting = autocannon({
      url,
      method: 'POST',
      headers: {
        ...headers,
        ...(body !== undefined && { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }),
      },
      ...(body !== undefined && { body }),
      amount: requests,
      connections,
      timeout: 60,
      // It only looks whether it is done when it samples, once a second by default.
      sampleInt: 50,
      ...(rate !== undefined && { overallRate: rate }),
    })
    // Its own percentiles are whole milliseconds, of which a fast server's median has none.
    const latencies: number[] = []
    shooting.on?.('response', (_client: unknown, _status: number, _bytes: number, latency: number) => {
      ended = performance.now()
      latencies.push(latency)
    })
    const { errors, timeouts, non2xx } = await shooting
    latencies.sort((one, other) => one - other)
    const percentile = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
    const failed = errors + timeouts + non2xx
    return {
      startedAt: performance.timeOrigin + started,
      perSecond: (requests * 1_000) / (ended - started),
      p50: percentile(0.5),
      p99: percentile(0.99),
      failed,
    }
  },
}

export type LoadCommands = typeof commands

serve(commands)
