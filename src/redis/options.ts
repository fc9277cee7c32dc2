import { isRedisClient, type RedisClient } from './client.js'

/** What everything that is kept in Redis is told. */
interface CommonOptions {
  readonly client: RedisClient
  readonly prefix?: string
}

/**
 * Checks the options that all have, and that there are no unknown ones.
 *
 * @param maker - The function that was given them.
 * @param more - The names of its own options.
 * @throws TypeError for an invalid or an unknown one.
 */
export function assertCommonOptions(maker: string, options: CommonOptions, more: readonly string[]): void {
  if (typeof options !== 'object' || options === null || !isRedisClient(options.client)) {
    throw new TypeError(
      `${maker}: client is a client of redis (node-redis) or ioredis: ${maker}({ client: createClient({ url }) })`,
    )
  }
  const known = ['client', 'prefix', ...more]
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`${maker}: unknown option ${unknown}, known are ${known.join(', ')}`)
  const { prefix } = options
  if (prefix !== undefined && (typeof prefix !== 'string' || /[{}]/.test(prefix)))
    throw new TypeError(`${maker}: prefix is a text without braces, such as shop:`)
}
