import type { RedisClient } from '../../src/redis/index.js'
import { changedMethod, transactionOf } from './changed-client.js'

/** What the client of `redis` has of what is used here. */
interface NodeRedis extends RedisClient {
  sendCommand(command: string[]): Promise<unknown>
}

/**
 * A client of `redis` whose Redis answers as before Redis 7 about entries that are gone: they stay on the list of pending
 * entries until they are acknowledged, and whoever claims them gets nothing in their place.
 */
export function beforeRedis7(client: object): RedisClient {
  if (!isNodeRedis(client)) throw new Error('the client is not of redis')
  const gone = new Set<string>()
  const answer = (command: readonly string[], reply: unknown): unknown => {
    const [name, , , consumer] = command
    const list = Array.isArray(reply) ? reply : []
    if (name === 'XACK') return Number(reply) + command.slice(3).filter((id) => gone.delete(id)).length
    if (name === 'XAUTOCLAIM') {
      const [cursor, entries, told] = list
      // This Redis is older itself.
      if (!Array.isArray(told)) return reply
      for (const id of told) gone.add(String(id))
      return [cursor, [...entries, ...told.map(() => null)]]
    }
    if (name === 'XCLAIM' && command.includes('JUSTID')) {
      const ids = command.slice(5).filter((each) => /^\d+-\d+$/.test(each))
      for (const id of ids) if (!list.includes(id)) gone.add(id)
      return ids
    }
    if (name === 'XPENDING') return [...list, ...[...gone].map((id) => [id, consumer, 0, 1])]
    return reply
  }
  return new Proxy(client, {
    get(target, key) {
      if (key === 'sendCommand')
        return async (command: string[]) => answer(command, await target.sendCommand(command))
      if (key === 'duplicate') return () => target.duplicate?.()
      if (key === 'multi') return () => answered(target.multi(), answer)
      return Reflect.get(target, key, target)
    },
  })
}

/** A transaction whose replies are changed, by the commands that they answer. */
function answered(transaction: unknown, answer: (command: readonly string[], reply: unknown) => unknown) {
  const commands: string[][] = []
  const recorded = new Proxy(transactionOf(transaction), {
    get(target, key) {
      if (key !== 'addCommand') return Reflect.get(target, key, target).bind(target)
      return (command: string[]) => {
        commands.push(command)
        target.addCommand(command)
      }
    },
  })
  return changedMethod(recorded, 'exec', async (made) => {
    const replies = await made
    return Array.isArray(replies)
      ? replies.map((reply, index) => answer(commands[index] ?? [], reply))
      : replies
  })
}

function isNodeRedis(client: object): client is NodeRedis {
  return 'sendCommand' in client
}
