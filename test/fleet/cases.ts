import type { Load } from '../faults/process.js'
import { sleep } from '../faults/stage.js'
import { watchedBySentinels } from '../redis/sentinel-servers.js'
import type { FleetCase, FleetStage } from './stage.js'

const ALWAYS = ['--appendonly', 'yes', '--appendfsync', 'always']
const EVERY_SECOND = ['--appendonly', 'yes', '--appendfsync', 'everysec']
const AROUND_MS = 600

/** A fault between a while before and a while after it, with processes that send, one that only writes, and a relay. */
function during(
  begin: (stage: FleetStage) => unknown,
  end: (stage: FleetStage) => unknown,
  ms = 3_000,
): FleetCase['run'] {
  return async (stage) => {
    const loads = [await stage.relay(), await stage.web(), await stage.writer()]
    await sleep(AROUND_MS)
    await begin(stage)
    await sleep(ms)
    await end(stage)
    await sleep(AROUND_MS)
    for (const load of loads.reverse()) await load.stop()
  }
}

/** Something happens to one of two relays at random instants, again and again, while four web processes write. */
function withFourWriters(happens: (relay: Load, stage: FleetStage) => Promise<void>): FleetCase['run'] {
  return async (stage) => {
    const rate = { rate: 30 }
    const writers = [
      await stage.writer(rate),
      await stage.writer(rate),
      await stage.writer(rate),
      await stage.writer(rate),
    ]
    const other = await stage.relay()
    for (let time = 0; time < stage.times; time++) {
      const relay = await stage.relay()
      await sleep(Math.random() * 600)
      await happens(relay, stage)
    }
    for (const load of [...writers, other]) await load.stop()
  }
}

/** Redis is killed at random instants, each time started again. */
async function killRedis(stage: FleetStage): Promise<void> {
  const loads = [await stage.relay(), await stage.writer(), await stage.writer()]
  for (let time = 0; time < stage.times; time++) {
    await sleep(200 + Math.random() * 500)
    await stage.redis.crash()
    await sleep(Math.random() * 300)
    await stage.redis.restart()
  }
  await sleep(AROUND_MS)
  for (const load of loads.reverse()) await load.stop()
}

/** The faults that a fleet has to survive. */
export const cases: readonly FleetCase[] = [
  {
    name: 'no fault',
    run: during(
      () => {},
      () => {},
      1_500,
    ),
  },
  {
    name: 'kill -9 of web processes at random instants',
    async run(stage) {
      const relay = await stage.relay()
      for (let time = 0; time < stage.times; time++) {
        const load = time % 2 === 0 ? await stage.web() : await stage.writer()
        await sleep(Math.random() * 600)
        await load.kill()
      }
      await relay.stop()
    },
  },
  {
    name: 'kill -9 of relays at random instants',
    async run(stage) {
      const writer = await stage.writer()
      for (let time = 0; time < stage.times; time++) {
        const relay = await stage.relay()
        await sleep(Math.random() * 600)
        await relay.kill()
      }
      await writer.stop()
    },
  },
  {
    name: 'kill -9 of relays at random instants, beside another, with four web processes',
    run: withFourWriters(async (relay) => {
      await relay.kill()
    }),
  },
  {
    name: 'SIGTERM of relays at random instants, beside another, with four web processes',
    // What is given back is taken long before.
    claimAfter: 60_000,
    repeatsNothing: true,
    run: withFourWriters(async (relay) => {
      await relay.stop()
    }),
  },
  {
    name: 'SIGSTOP of relays at random instants, for up to three claim times',
    run: withFourWriters(async (relay, stage) => {
      relay.signal('SIGSTOP')
      await sleep(Math.random() * stage.claimAfter * 3)
      relay.signal('SIGCONT')
      await relay.stop()
    }),
  },
  {
    name: 'relays of an older version than the web processes',
    async run(stage) {
      const redis = { url: stage.proxy.url, library: 'redis 6', claimAfter: stage.claimAfter, isLater: true }
      const loads = [
        await stage.relay(),
        await stage.relay(),
        await stage.writer({ redis }),
        await stage.writer({ redis }),
      ]
      await sleep(1_500)
      await loads.shift()?.kill()
      await sleep(AROUND_MS)
      for (const load of loads.reverse()) await load.stop()
    },
  },
  {
    name: 'the entry format goes forward and is rolled back',
    async run(stage) {
      const later = {
        redis: { url: stage.proxy.url, library: 'redis 6', claimAfter: stage.claimAfter, isLater: true },
      }
      const relays = [await stage.relay(), await stage.relay()]
      const first = await stage.writer()
      const [writer, web] = [await stage.writer(later), await stage.web(later)]
      await sleep(AROUND_MS)
      await first.stop()
      await sleep(AROUND_MS)
      const back = [await stage.writer(), await stage.web()]
      await writer.stop()
      // Others send what it leaves behind.
      await web.kill()
      await sleep(AROUND_MS)
      for (const load of [...back, ...relays]) await load.stop()
    },
  },
  { name: 'kill -9 of Redis, appendfsync always', redis: ALWAYS, run: killRedis },
  { name: 'kill -9 of Redis, appendfsync everysec', redis: EVERY_SECOND, mayLose: true, run: killRedis },
  {
    name: 'Redis and a process killed, with a fallback on the disk',
    redis: ALWAYS,
    async run(stage) {
      const fallback = { fallback: stage.directory }
      const first = await stage.writer({
        redis: { url: stage.proxy.url, library: 'redis 6', claimAfter: 1_000, ...fallback },
      })
      await sleep(AROUND_MS)
      await stage.redis.crash()
      await sleep(2_500)
      await first.kill()
      await stage.redis.restart()
      const second = await stage.writer({
        redis: { url: stage.proxy.url, library: 'redis 6', claimAfter: 1_000, ...fallback },
      })
      await sleep(3_000)
      await second.stop()
    },
  },
  {
    name: 'SIGSTOP of a process for longer than the claim time',
    async run(stage) {
      stage.segment.respondWith({ delay: 300 })
      const [robbed, other] = [await stage.web(), await stage.web()]
      await sleep(AROUND_MS)
      robbed.signal('SIGSTOP')
      await sleep(stage.claimAfter * 3)
      robbed.signal('SIGCONT')
      await sleep(AROUND_MS)
      stage.segment.respondWith('ok')
      await robbed.stop()
      await other.stop()
    },
  },
  {
    name: 'the network is cut',
    run: during(
      ({ proxy }) => proxy.cut(),
      ({ proxy }) => proxy.mend(),
    ),
  },
  {
    name: 'half-open connections',
    run: during(
      ({ proxy }) => proxy.hang(),
      ({ proxy }) => proxy.mend(),
    ),
  },
  {
    name: 'CLIENT PAUSE of 3 s',
    run: during(
      ({ command }) => command('CLIENT', 'PAUSE', '3000', 'ALL'),
      () => {},
    ),
  },
  {
    name: 'Redis is full: OOM',
    run: during(
      ({ command }) => command('CONFIG', 'SET', 'maxmemory', '1'),
      ({ command }) => command('CONFIG', 'SET', 'maxmemory', '0'),
    ),
  },
  {
    name: 'an ACL denies XADD',
    run: during(
      ({ command }) => command('ACL', 'SETUSER', 'default', '-xadd'),
      ({ command }) => command('ACL', 'SETUSER', 'default', '+xadd'),
    ),
  },
  {
    name: 'FLUSHALL under load',
    mayLose: true,
    mayGiveUp: ['damaged'],
    run: during(
      ({ command }) => command('FLUSHALL'),
      () => {},
      1_500,
    ),
  },
  {
    name: 'failover to a replica',
    mayLose: true,
    mayGiveUp: ['damaged'],
    async run(stage) {
      const replica = await stage.another({
        options: ['--replicaof', '127.0.0.1', String(stage.redis.port)],
      })
      const loads = [await stage.relay(), await stage.web(), await stage.writer()]
      await sleep(1_500)
      await stage.redis.crash()
      stage.proxy.cut()
      await sleep(500)
      const { createClient } = await import('redis')
      const client = await createClient({ url: replica.url }).connect()
      await client.sendCommand(['REPLICAOF', 'NO', 'ONE'])
      client.destroy()
      stage.proxy.to(replica.port)
      stage.proxy.mend()
      await sleep(2_000)
      for (const load of loads.reverse()) await load.stop()
    },
  },
  {
    name: 'Sentinel: the master is killed',
    mayLose: true,
    mayGiveUp: ['damaged'],
    async run(stage) {
      const { ports, failedOver } = await watchedBySentinels(stage.redis, stage.another)
      stage.askSentinels(ports)
      const loads = [await stage.relay(), await stage.web(), await stage.writer(), await stage.writer()]
      await sleep(1_500)
      await stage.redis.crash()
      await failedOver()
      await sleep(2_000)
      for (const load of loads.reverse()) await load.stop()
    },
  },
]
