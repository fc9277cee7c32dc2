import type { RedisClient } from '../../src/redis/index.js'
import { changedMethod } from '../redis/changed-client.js'

/** What a later version might write besides. */
const MORE_FIELDS = ['zz', 'of a later version']

/**
 * A client of `redis` through which calls are written as a later version of this package may write them: with a field more. Whoever
 * reads them is of an older version.
 */
export function laterClient(client: RedisClient): RedisClient {
  return changedMethod(client, 'multi', (multi: unknown) => {
    if (typeof multi !== 'object' || multi === null) throw new Error('the client makes no transactions')
    const add: unknown = Reflect.get(multi, 'addCommand')
    if (typeof add !== 'function') throw new Error('the client is not of redis')
    Reflect.set(multi, 'addCommand', (command: string[], ...more: unknown[]) =>
      Reflect.apply(add, multi, [command[0] === 'XADD' ? [...command, ...MORE_FIELDS] : command, ...more]),
    )
    return multi
  })
}
