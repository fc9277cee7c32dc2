import type { RedisClient } from '../../src/redis/index.js'
import { changedMethod } from '../redis/changed-client.js'

/** The version that a later one might write, and a field that it might write besides. */
const LATER = '2'
const MORE_FIELDS = ['zz', 'of a later version']

/**
 * A client of `redis` through which calls are written as a later version of this package may write them: with another version and a field more. Whoever
 * reads them is of an older version.
 */
export function laterClient(client: RedisClient): RedisClient {
  return changedMethod(client, 'multi', (multi: unknown) => {
    if (typeof multi !== 'object' || multi === null) throw new Error('the client makes no transactions')
    const add: unknown = Reflect.get(multi, 'addCommand')
    if (typeof add !== 'function') throw new Error('the client is not of redis')
    Reflect.set(multi, 'addCommand', (command: string[], ...more: unknown[]) =>
      Reflect.apply(add, multi, [command[0] === 'XADD' ? laterEntry(command) : command, ...more]),
    )
    return multi
  })
}

/** The command that adds an entry, as a later version might send it. */
function laterEntry(command: readonly string[]): string[] {
  const version = command.indexOf('v') + 1
  if (version === 0) throw new Error('an entry has no version')
  return [...command.slice(0, version), LATER, ...command.slice(version + 1), ...MORE_FIELDS]
}
