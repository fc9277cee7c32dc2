import { createClient } from 'redis'
import { redisOutbox } from '../../src/redis/index.js'
import { createRelay, type Relay } from '../../src/relay/index.js'
import { serve } from '../processes.js'
import { ROOM } from './room.js'

let relay: Relay | undefined

const commands = {
  /** Starts to deliver. */
  async deliver({ redis, host }: { readonly redis: string; readonly host: string }): Promise<void> {
    const client = await createClient({ url: redis }).connect()
    relay = createRelay({ settings: { writeKey: 'bench', host }, outbox: redisOutbox({ client, ...ROOM }) })
  },
  /** Microseconds of CPU so far, memory in bytes, calls delivered. */
  usage() {
    const { user, system } = process.cpuUsage()
    return {
      cpu: user + system,
      rss: process.memoryUsage.rss(),
      delivered: relay?.stats().calls.delivered ?? 0,
    }
  },
  books: () => relay?.stats(),
}

export type RelayCommands = typeof commands

serve(commands)
