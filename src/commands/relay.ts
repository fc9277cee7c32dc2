import { Level, type Logger } from '@walkeros/core'
import { messageOf } from '../delivery/failure.js'
import { redisMemory, redisOutbox } from '../redis/index.js'
import { createRelay } from '../relay/index.js'
import { shutdownOnSignals } from '../shutdown/on-signals.js'
import { setTimeout } from '../support/clock.js'
import { openLog } from '../support/log.js'
import { connectRedis, NotInstalled, type RedisConnection } from './redis-connection.js'
import { KeyFile } from './relay/key-file.js'
import { type RelayOptions, relayOptions } from './relay/options.js'
import { Relays } from './relay/relays.js'
import { portOfServer, serveStatus } from './relay/status-server.js'
import type { NamedKey } from './relay/write-keys.js'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/**
 * Runs `npx reqtrack relay`: delivers what the web processes of a fleet have written to Redis, until it is told to end.
 *
 * @param usage - What to print where help is wanted.
 * @returns The exit code so far; the process goes on.
 */
export async function relay(args: string[], usage: string): Promise<number> {
  const options = relayOptions(args, process.env)
  if (!options) {
    console.log(usage)
    return 0
  }
  await new RelayCommand(options).run()
  return 0
}

class RelayCommand {
  readonly #options: RelayOptions
  readonly #log = openLog(LOG, 'reqtrack relay')
  readonly #relays = new Relays((writeKey) => this.#open(writeKey))
  #wanted: readonly NamedKey[] = []
  #redis: RedisConnection | undefined
  #waitsFor: string | undefined = 'there is no connection to Redis yet'
  #isEnding = false

  constructor(options: RelayOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { port, bind, keys, writeKey = '', redis, timeout } = this.#options
    const file = keys === undefined ? undefined : this.#keyFile(keys)
    this.#wanted = file ? await file.read() : [{ writeKey }]
    // Before anything is taken: a relay whose port is taken takes no calls.
    const server =
      port === undefined
        ? undefined
        : await serveStatus(port, bind, () => ({ relays: this.#relays.list, waitsFor: this.#waitsFor }))
    if (new URL(redis).password !== '' && process.argv.includes(redis))
      this.#log.warn('the command line has a password, which others on this machine can read: use REDIS_URL')
    shutdownOnSignals(
      {
        closing: () => {
          this.#isEnding = true
          file?.stop()
        },
        shutdown: async (given) => {
          const report = await this.#relays.shutdown(given)
          this.#redis?.close()
          return report
        },
        failedCalls: () => this.#relays.failedCalls,
        logger: this.#log,
      },
      { timeout, ...(server && { server }) },
    )
    file?.watch()
    if (server) this.#log.info(`/healthz and /metrics are served on port ${portOfServer(server)}`)
    this.#redis = await this.#connect(redis)
    this.#waitsFor = undefined
    const { started } = this.#relays.use(this.#wanted)
    if (started > 0) this.#log.info(`calls are taken from ${new URL(redis).host}`, { writeKeys: started })
  }

  #open(writeKey: string) {
    const { host, prefix, claimAfter, maxInFlight } = this.#options
    if (!this.#redis) throw new Error('there is no connection to Redis yet')
    const { client } = this.#redis
    const place = prefix === undefined ? {} : { prefix }
    return createRelay({
      settings: { writeKey, ...(host !== undefined && { host }) },
      // Where the web processes have none, there is nothing to forget.
      memory: redisMemory({ client, ...place }),
      outbox: redisOutbox({
        client,
        ...place,
        ...(claimAfter !== undefined && { claimAfter }),
      }),
      ...(maxInFlight !== undefined && { delivery: { maxInFlight } }),
      logger: LOG,
    })
  }

  #keyFile(path: string): KeyFile {
    return new KeyFile(path, {
      changed: (keys) => {
        this.#wanted = keys
        if (!this.#redis) return
        const { started, ended } = this.#relays.use(keys)
        this.#log.info('the file of write keys has changed', { started, ended })
      },
      unusable: (problem) => this.#log.error(`${problem}; the write keys stay as they were`),
    })
  }

  /** Waits for a Redis that is away, for as long as it takes. */
  async #connect(url: string): Promise<RedisConnection> {
    let said: string | undefined
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await connectRedis(url)
      } catch (error) {
        if (error instanceof NotInstalled) throw error
        this.#waitsFor = messageOf(error)
        if (said !== this.#waitsFor && !this.#isEnding) this.#log.error(this.#waitsFor)
        said = this.#waitsFor
        await pause(pauseMs)
      }
    }
  }
}

/** One line each, to where a container's log is taken from. */
const LOG: Logger.Config = {
  level: 'INFO',
  handler: (level, message, context, scope) => {
    const more =
      typeof context === 'object' && Object.keys(context).length > 0 ? ` ${JSON.stringify(context)}` : ''
    console.error(`${new Date().toISOString()} ${Level[level]} ${scope.join(' ')}: ${message}${more}`)
  },
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
