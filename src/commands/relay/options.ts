import { readArguments } from '../arguments.js'
import { CommandError } from '../command-error.js'
import { portOf } from '../port.js'
import { isRedisUrl } from '../redis-connection.js'

const OPTIONS = {
  redis: { type: 'string' },
  keys: { type: 'string' },
  port: { type: 'string' },
  bind: { type: 'string' },
  host: { type: 'string' },
  prefix: { type: 'string' },
  'claim-after': { type: 'string' },
  'max-in-flight': { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** What a command line and an environment ask of a relay. */
export interface RelayOptions {
  readonly redis: string
  /** The write key of the environment; absent where there is a file. */
  readonly writeKey: string | undefined
  /** The file of write keys. */
  readonly keys: string | undefined
  /** Where to serve health and metrics, if they are wanted. */
  readonly port: number | undefined
  readonly bind: string | undefined
  /** The base URL of Segment's API. */
  readonly host: string | undefined
  readonly prefix: string | undefined
  /** Milliseconds. */
  readonly claimAfter: number | undefined
  readonly maxInFlight: number | undefined
  /** Milliseconds that the shutdown may take. */
  readonly timeout: number | undefined
}

/**
 * Reads the command line of `npx reqtrack relay`, and what it leaves to the environment.
 *
 * @returns `undefined` where only help is wanted.
 * @throws CommandError for what cannot be understood. It quotes neither the URL of the Redis nor a write key.
 */
export function relayOptions(
  args: string[],
  environment: Readonly<Record<string, string | undefined>>,
): RelayOptions | undefined {
  const { values, positionals } = readArguments({ args, allowPositionals: true, options: OPTIONS })
  if (values.help) return undefined
  if (positionals.length > 0) throw new CommandError('relay takes no operand')
  const redis = values.redis ?? filled(environment.REDIS_URL)
  if (redis === undefined)
    throw new CommandError('relay needs a Redis: --redis URL, or REDIS_URL in the environment')
  if (!isRedisUrl(redis) || !URL.canParse(redis))
    throw new CommandError('the URL of a Redis is redis://host:port or, with TLS, rediss://host:port')
  const writeKey = filled(environment.SEGMENT_WRITE_KEY)
  if (values.keys === undefined && writeKey === undefined)
    throw new CommandError('relay needs a write key: SEGMENT_WRITE_KEY in the environment, or --keys FILE')
  return {
    redis,
    writeKey: values.keys === undefined ? writeKey : undefined,
    keys: values.keys,
    port: values.port === undefined ? undefined : portOf(values.port),
    bind: values.bind,
    host: values.host ?? filled(environment.SEGMENT_HOST),
    prefix: values.prefix,
    claimAfter: numberOf('claim-after', values['claim-after']),
    maxInFlight: numberOf('max-in-flight', values['max-in-flight']),
    timeout: numberOf('timeout', values.timeout),
  }
}

function filled(text: string | undefined): string | undefined {
  return text?.trim() === '' ? undefined : text
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number
  throw new CommandError(`--${name} is an integer from 1; given ${JSON.stringify(text)}`)
}
