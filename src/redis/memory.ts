import type {
  OpenPeopleMemory,
  PeopleAnswer,
  PeopleMemory,
  PeopleTask,
} from '../destination/people-memory.js'
import { type Connection, connectionOf, type RedisClient } from './client.js'
import { textOf } from './entry.js'
import { assertCommonOptions } from './options.js'
import { PEOPLE_SCRIPT } from './people-script.js'

/** Where people are remembered in Redis, and for how long. */
export interface RedisMemoryOptions {
  /** The application's own client: of `redis` 5 or 6, or of `ioredis` 5 or 6; single, Sentinel or Cluster. It is never closed. */
  client: RedisClient
  /** What the names of the keys begin with. Defaults to `reqtrack:`. */
  prefix?: string
  /** Milliseconds that somebody is remembered who is not seen any more. Defaults to 30 days. */
  ttl?: number
  /**
   * Milliseconds that a process may take to tell Segment of a person, or an outbox: if it dies meanwhile, the next event
   * after them tells. Defaults to 60000.
   */
  claimAfter?: number
}

const DAY_MS = 24 * 60 * 60 * 1_000
const HOUR_MS = 60 * 60 * 1_000
const DEFAULTS = { prefix: 'reqtrack:', ttl: 30 * DAY_MS, claimAfter: 60_000 }
const MOST = { ttl: 10 * 365 * DAY_MS, claimAfter: DAY_MS }
/** Redis does nothing else while it runs a script: about a millisecond for so many. */
const TASKS_AT_ONCE = 200
/** A cluster spreads the people of a write key over so many slots. */
const SHARDS = 16

/**
 * Remembers in Redis who was identified and grouped, for processes on many machines: Segment gets an identify once, and not
 * from each. Redis is asked after the response, of people whom a process does not know itself, and has no id and no trait:
 * what it has are HMACs with the write key. Needs Redis 6.2 or newer, or Valkey.
 *
 * @throws TypeError for an invalid option.
 *
 * @example
 * const client = await createClient({ url: 'redis://redis:6379' }).connect()
 * const tracking = createTracking({ settings: { writeKey: 'KEY' }, memory: redisMemory({ client }) })
 */
export function redisMemory(options: RedisMemoryOptions): PeopleMemory {
  assertOptions(options)
  const { client, prefix = DEFAULTS.prefix, ttl = DEFAULTS.ttl, claimAfter = DEFAULTS.claimAfter } = options
  return {
    refreshAfter: Math.min(HOUR_MS, Math.ceil(ttl / 2)),
    open: (writeKeyHash) =>
      new RedisPeople(connectionOf(client), new PeopleKeys(prefix, writeKeyHash), { ttl, claimAfter }),
  }
}

/** The names of the keys under which the people of a write key are remembered. */
export class PeopleKeys {
  readonly #prefix: string
  readonly #writeKeyHash: string

  constructor(prefix: string, writeKeyHash: string) {
    this.#prefix = prefix
    this.#writeKeyHash = writeKeyHash
  }

  /** @param person - The HMAC of the person. */
  of(person: string): string {
    // What is in the braces decides on the slot: keys of one are in one script.
    return `${this.#prefix}{${this.#writeKeyHash}.${shardOf(person)}}:person:${person}`
  }
}

function shardOf(person: string): number {
  return person.charCodeAt(0) % SHARDS
}

class RedisPeople implements OpenPeopleMemory {
  readonly #connection: Connection
  readonly #keys: PeopleKeys
  readonly #times: readonly string[]

  constructor(
    connection: Connection,
    keys: PeopleKeys,
    { ttl, claimAfter }: { readonly ttl: number; readonly claimAfter: number },
  ) {
    this.#connection = connection
    this.#keys = keys
    this.#times = [String(claimAfter), String(Math.max(ttl, claimAfter))]
  }

  async take(tasks: readonly PeopleTask[]): Promise<PeopleAnswer[]> {
    // A command would wait in the client for as long as there is no connection.
    if (!this.#connection.isReady) throw new Error('there is no connection to Redis')
    const shards = new Map<number, number[][]>()
    for (const [index, { fact }] of tasks.entries()) {
      const shard = shardOf(fact.person)
      const runs = shards.get(shard) ?? []
      shards.set(shard, runs)
      const last = runs.at(-1)
      if (last && last.length < TASKS_AT_ONCE) last.push(index)
      else runs.push([index])
    }
    const answers: PeopleAnswer[] = tasks.map(() => undefined)
    const runs = [...shards.values()].flat()
    const failures: unknown[] = []
    // Sent at once, and answered in one round trip.
    await Promise.all(
      runs.map((run) => this.#run(tasks, run, answers).catch((error: unknown) => void failures.push(error))),
    )
    if (runs.length > 0 && failures.length === runs.length) throw failures[0]
    return answers
  }

  async #run(tasks: readonly PeopleTask[], run: readonly number[], answers: PeopleAnswer[]): Promise<void> {
    const keys: string[] = []
    const parameters: string[] = []
    for (const index of run) {
      const task = tasks[index]
      if (!task) continue
      const { person, about, traits, device = '-', call } = task.fact
      keys.push(this.#keys.of(person))
      parameters.push(task.step, about, traits || '-', device, call)
    }
    const command = ['EVAL', PEOPLE_SCRIPT, String(keys.length), ...keys, ...this.#times, ...parameters]
    const reply = await this.#connection.send(command, keys[0])
    for (const [at, index] of run.entries())
      answers[index] = answerOf(Array.isArray(reply) ? reply[at] : undefined)
  }
}

function answerOf(reply: unknown): PeopleAnswer {
  const text = textOf(reply)
  if (text === 'known' || text === 'held' || text === 'claimed' || text === 'done') return text
  return new Error(
    text.startsWith('error ') ? text.slice('error '.length) : 'Redis has answered with something else',
  )
}

function assertOptions(options: RedisMemoryOptions): void {
  assertCommonOptions('redisMemory', options, Object.keys(MOST))
  for (const name of ['ttl', 'claimAfter'] as const) {
    const value: unknown = options[name]
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MOST[name]) {
      throw new TypeError(
        `redisMemory: ${name} is a whole number of milliseconds from 1 to ${MOST[name]}; given ${String(value)}`,
      )
    }
  }
}
