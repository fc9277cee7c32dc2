import { answerWithin } from '../support/maybe.js'
import type { Connection } from './client.js'
import { mapOf, textOf } from './entry.js'

const ANSWER_MS = 2_000
const OLDEST = [6, 2]

/** What is wrong with how a Redis is set up, where it may be asked for that. */
export async function adviceFor(connection: Connection): Promise<string[]> {
  const ask = async (...command: string[]) => answerWithin(connection.send(command), ANSWER_MS)
  const info = [await ask('INFO', 'server'), await ask('INFO', 'memory'), await ask('INFO', 'persistence')]
    .map((part) => (part === undefined ? '' : textOf(part)))
    .join('\n')
  const field = (name: string) => new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1]
  const advice: string[] = []
  const [major = 0, minor = 0] = (field('redis_version') ?? '').split('.').map(Number)
  const [oldMajor = 0, oldMinor = 0] = OLDEST
  if (major > 0 && (major < oldMajor || (major === oldMajor && minor < oldMinor)))
    advice.push(`this Redis is ${major}.${minor}: the outbox needs 6.2 or newer, or Valkey`)
  const policy = field('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    advice.push(
      `maxmemory-policy is ${policy}: a full Redis may throw the waiting calls away. Set it to noeviction`,
    )
  if (field('aof_enabled') === '0') {
    const save = mapOf(await ask('CONFIG', 'GET', 'save')).get('save')
    if (save !== undefined && textOf(save) === '')
      advice.push('neither AOF nor RDB is on: what waits is lost when Redis ends. Set appendonly yes')
  }
  return advice
}
