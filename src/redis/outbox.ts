import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Outbox, OutboxSession } from '../delivery/outbox/outbox.js'
import { adviceFor } from './advice.js'
import { connectionOf, type RedisClient } from './client.js'
import { FallbackOutbox } from './fallback-outbox.js'
import { assertCommonOptions } from './options.js'
import { CallStream } from './stream.js'
import { StreamOutbox } from './stream-outbox.js'

/** Where calls are kept in Redis, and how many. */
export interface RedisOutboxOptions {
  /** The application's own client: of `redis` 5 or 6, or of `ioredis` 5 or 6; single, Sentinel or Cluster. It is never closed. */
  client: RedisClient
  /** What the names of the keys begin with. Defaults to `reqtrack:`. */
  prefix?: string
  /** Bytes that the calls of a write key may take in Redis, estimated. Beyond them the oldest fail as `overflow`. Defaults to 1 GB. */
  maxBytes?: number
  /** Calls of a write key that Redis may hold. Beyond them the oldest fail as `overflow`. Defaults to 1000000. */
  maxCalls?: number
  /**
   * Takes what Redis cannot, such as `fileOutbox({ directory })`, and gives it to Redis when it is back. Without one such
   * calls wait in memory.
   */
  fallback?: Outbox
  /**
   * Milliseconds without a word after which a process counts as dead, and others send what it has. A living one is heard of
   * four times in that. Defaults to 60000.
   */
  claimAfter?: number
  /** How many processes may end with a call in their hands before it is refused as the one that ends them. Defaults to 5. */
  maxClaims?: number
  /** Milliseconds that a call waits to be written with others. A killed process loses the calls of this time. Defaults to 50. */
  commitInterval?: number
  /** The number of waiting calls that are written at once, before the interval is over. Defaults to 500. */
  commitAt?: number
}

const DEFAULTS = {
  prefix: 'reqtrack:',
  maxBytes: 1024 ** 3,
  maxCalls: 1_000_000,
  claimAfter: 60_000,
  maxClaims: 5,
  commitInterval: 50,
  commitAt: 500,
}
/** A write key that nobody told. */
const NO_KEY = 'none'

/**
 * Keeps calls in Redis until Segment has taken them, for processes on many machines. Each of them sends what any has
 * written, and those of a dead one are sent by others. Needs Redis 6.2 or newer, or Valkey.
 *
 * Redis holds personal data then, as the calls do; `delivery.maxAge` bounds its age, and nothing else is stored.
 *
 * @throws TypeError for an invalid option.
 *
 * @example
 * const client = await createClient({ url: 'redis://redis:6379' }).connect()
 * const tracking = createTracking({ settings: { writeKey: 'KEY' }, delivery: { outbox: redisOutbox({ client }) } })
 */
export function redisOutbox(options: RedisOutboxOptions): Outbox {
  assertOptions(options)
  const { client, prefix, fallback, commitInterval, commitAt, ...limits } = { ...DEFAULTS, ...given(options) }
  return {
    limits: { commitInterval, commitAt, maxBytes: limits.maxBytes },
    isShared: true,
    async open(session) {
      const connection = connectionOf(client)
      const consumer = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
      const stream = new CallStream(connection, prefix, session.writeKeyHash || NO_KEY, consumer)
      void adviceFor(connection).then(
        (advice) => {
          for (const line of advice) session.warn(`redisOutbox: ${line}`)
        },
        () => {},
      )
      const opened = (own: OutboxSession) => {
        const outbox = new StreamOutbox(connection, stream, own, limits)
        outbox.start()
        return outbox
      }
      return fallback ? FallbackOutbox.open(fallback, session, opened) : opened(session)
    },
  }
}

/** The options that were given: `undefined` is none. */
function given(options: RedisOutboxOptions): RedisOutboxOptions {
  const present = Object.entries(options).filter(([, value]) => value !== undefined)
  return { client: options.client, ...Object.fromEntries(present) }
}

const LEAST: Readonly<Record<string, number>> = {
  maxBytes: 1,
  maxCalls: 1,
  claimAfter: 100,
  maxClaims: 1,
  commitInterval: 0,
  commitAt: 1,
}

const MOST: Readonly<Record<string, number>> = { claimAfter: 24 * 60 * 60 * 1_000, commitInterval: 60_000 }

function assertOptions(options: RedisOutboxOptions): void {
  assertCommonOptions('redisOutbox', options, ['fallback', ...Object.keys(LEAST)])
  for (const [name, value] of Object.entries(options)) {
    const least = LEAST[name]
    if (least === undefined || value === undefined) continue
    const most = MOST[name] ?? Number.POSITIVE_INFINITY
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      const range = MOST[name] === undefined ? `${least} on` : `${least} to ${MOST[name]}`
      throw new TypeError(`redisOutbox: ${name} is a number from ${range}; given ${String(value)}`)
    }
  }
  const { fallback } = options
  if (fallback !== undefined && typeof Reflect.get(fallback, 'open') !== 'function')
    throw new TypeError('redisOutbox: fallback is an outbox, such as fileOutbox({ directory })')
}
