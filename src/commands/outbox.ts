import { parseArgs } from 'node:util'
import { CommandError } from './command-error.js'
import { DirectoryTarget } from './outbox/directory-target.js'
import { ChosenKeys } from './outbox/keys.js'
import { RedisTarget } from './outbox/redis-target.js'
import { counted, reportOf } from './outbox/report.js'
import type { Done, OutboxTarget } from './outbox/target.js'
import { connectRedis, isRedisUrl } from './redis-connection.js'

const DEFAULT_PREFIX = 'reqtrack:'
const ACTIONS = ['export', 'retry', 'erase', 'erase-anonymous', 'purge'] as const

/**
 * Runs `npx reqtrack outbox TARGET`: prints what an outbox has, in a directory or in Redis, or changes it.
 *
 * @param args - The command line after `outbox`.
 * @returns The exit code.
 */
export async function outbox(args: readonly string[], usage: string): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      export: { type: 'boolean' },
      retry: { type: 'boolean' },
      erase: { type: 'string' },
      'erase-anonymous': { type: 'string' },
      purge: { type: 'boolean' },
      prefix: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const [place, ...more] = positionals
  if (place === undefined || more.length > 0)
    throw new CommandError('outbox takes one target: a directory, or the URL of a Redis')
  if (ACTIONS.filter((action) => values[action] !== undefined).length > 1)
    throw new CommandError(`of --${ACTIONS.join(', --')} outbox takes one at a time`)
  if (values.erase === '' || values['erase-anonymous'] === '')
    throw new CommandError('an id is no empty text')
  if (values.prefix !== undefined && !isRedisUrl(place))
    throw new CommandError('--prefix is for a Redis: a directory has none')
  const target = await targetOf(place, values.prefix ?? DEFAULT_PREFIX)
  try {
    if (values.export) for await (const line of target.lines()) console.log(line)
    else if (values.retry) await retry(target)
    else if (values.erase !== undefined) await erase(target, { userId: values.erase })
    else if (values['erase-anonymous'] !== undefined)
      await erase(target, { anonymousId: values['erase-anonymous'] })
    else if (values.purge) console.log(removed(await target.purge(), 'was removed', 'were removed'))
    else for (const line of reportOf(await target.look())) console.log(line)
  } finally {
    await target.close()
  }
  return 0
}

async function targetOf(place: string, prefix: string): Promise<OutboxTarget> {
  const keys = new ChosenKeys(process.env.SEGMENT_WRITE_KEY)
  if (!isRedisUrl(place)) return new DirectoryTarget(place, keys)
  return new RedisTarget(await connectRedis(place), prefix, keys)
}

async function retry(target: OutboxTarget): Promise<void> {
  const { waiting, left } = await target.retry()
  const stay = left === 0 ? '' : `; ${left} ${left === 1 ? 'stays' : 'stay'} aside: ${WHY_LEFT}`
  console.log(
    `${counted(waiting, 'call')} that ${waiting === 1 ? 'was' : 'were'} set aside ${waiting === 1 ? 'waits' : 'wait'} again${stay}`,
  )
}

const WHY_LEFT = 'no call can be read, or it is not known of which write key, which SEGMENT_WRITE_KEY may say'

async function erase(target: OutboxTarget, whose: Parameters<OutboxTarget['erase']>[0]): Promise<void> {
  const { people, ...done } = await target.erase(whose)
  console.log(removed(done, 'of this person was erased', 'of this person were erased'))
  if (people !== undefined) console.log(`the memory of people has lost ${counted(people, 'fact')} about them`)
  else if (target instanceof RedisTarget)
    console.log('the memory of people was not looked at: only with SEGMENT_WRITE_KEY is anybody found in it')
}

function removed({ waiting, aside, held }: Done, one: string, many: string): string {
  const count = waiting + aside
  const kinds = `${waiting} that waited, ${aside} set aside`
  const kept =
    held === 0
      ? ''
      : `; ${held} ${held === 1 ? 'was' : 'were'} not: a process has ${held === 1 ? 'it' : 'them'} in its hands, and may be sending`
  return `${counted(count, 'call')} ${count === 1 ? one : many} (${kinds})${kept}`
}
