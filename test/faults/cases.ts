import { chmod, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Fault } from '../../src/testing/index.js'
import { type Case, type Lasting, lasting, sleep, until } from './stage.js'

const AN_HOUR_MS = 60 * 60 * 1_000

/** Segment answers so. */
function answering(fault: Fault): Lasting {
  return {
    begin: ({ segment }) => segment.respondWith(fault),
    end: ({ segment }) => segment.respondWith('ok'),
  }
}

/** Segment is away. */
const outage: Lasting = {
  begin: ({ segment }) => segment.stop(),
  end: ({ segment }) => segment.start(),
}

/** Segment comes and goes. */
function flapping(): Lasting {
  let goesOn = true
  let done: Promise<void> | undefined
  return {
    begin({ segment }) {
      goesOn = true
      done = (async () => {
        while (goesOn) {
          await segment.stop()
          await sleep(500)
          await segment.start()
          await sleep(500)
        }
      })()
    },
    async end() {
      goesOn = false
      await done
    },
    ms: 6_000,
  }
}

/** Many processes, one after the other, each killed at a random instant. */
function kills(times: number): Case['run'] {
  return async ({ segment, start, everythingArrived }) => {
    segment.respondWith({ delay: 20 })
    for (let time = 0; time < times; time++) {
      const load = await start()
      await sleep(Math.random() * 500)
      await load.kill()
    }
    const last = await start({ rate: 1 })
    await everythingArrived()
    await last.stop()
  }
}

/** The faults that a delivery has to survive. */
export const cases: readonly Case[] = [
  { name: 'no fault', rate: 200, run: lasting(answering({ delay: 0 })) },
  { name: 'outage of some seconds', rate: 200, run: lasting({ ...outage, ms: 5_000 }) },
  {
    name: 'outage of 60 s, 200 events/s',
    rate: 200,
    isLong: true,
    endings: ['after'],
    delivery: { maxPending: 20_000 },
    run: lasting({ ...outage, ms: 60_000 }),
  },
  {
    name: 'outage of 10 min, 10 events/s',
    rate: 10,
    isLong: true,
    endings: ['after'],
    run: lasting({ ...outage, ms: 600_000 }),
  },
  { name: 'flapping: 0.5 s up, 0.5 s away', rate: 200, run: (stage) => lasting(flapping())(stage) },
  { name: '500', rate: 200, run: lasting(answering({ status: 500 })) },
  {
    name: '301 with Location',
    rate: 200,
    run: lasting(answering({ status: 301, redirect: 'http://127.0.0.1:9/v1/batch' })),
  },
  { name: 'reset', rate: 200, run: lasting(answering({ reset: true })) },
  {
    name: 'reset after Segment took the calls',
    rate: 200,
    run: lasting(answering({ reset: true, record: true })),
  },
  { name: 'half an answer', rate: 200, run: lasting(answering({ half: true })) },
  {
    name: 'slow loris: one byte each 100 ms',
    rate: 200,
    settings: { httpRequestTimeout: 1_000 },
    run: lasting(answering({ drip: 100, record: false })),
  },
  {
    name: 'hanging connections',
    rate: 200,
    settings: { httpRequestTimeout: 1_000 },
    run: lasting(answering({ hang: true })),
  },
  { name: '429 with Retry-After: 1', rate: 200, run: lasting(answering({ status: 429, retryAfter: 1 })) },
  { name: '429 without Retry-After', rate: 200, run: lasting(answering({ status: 429 })) },
  { name: '401 for a while', rate: 200, run: lasting(answering({ status: 401 })) },
  {
    name: '401 for a minute',
    rate: 200,
    isLong: true,
    endings: ['after'],
    delivery: { maxPending: 20_000 },
    run: lasting({ ...answering({ status: 401 }), ms: 60_000 }),
  },
  {
    name: 'one poisoned event in 10,000',
    rate: 2_000,
    mayGiveUp: ['rejected'],
    mayGiveUpKept: ['rejected'],
    async run({ segment, ending, start }) {
      let poison: string | undefined
      const load = await start()
      segment.respondWith(({ messageIds }) => {
        poison ??= messageIds[messageIds.length >> 1]
        return poison !== undefined && messageIds.includes(poison) ? { status: 400 } : undefined
      })
      await until(() => (ending === 'during' ? poison !== undefined : load.made.size >= 10_000), 60_000)
      await load.stop()
    },
  },
  {
    name: 'endpoint at a tenth of the load',
    rate: 1_000,
    settings: { flushAt: 20 },
    delivery: { maxPending: 3_000 },
    mayGiveUp: ['overflow'],
    run: lasting({ ...slow(), ms: 6_000 }),
  },
  {
    name: 'endpoint at a tenth of the load for a minute',
    rate: 1_000,
    isLong: true,
    endings: ['after'],
    settings: { flushAt: 20 },
    delivery: { maxPending: 10_000 },
    mayGiveUp: ['overflow'],
    run: lasting({ ...slow(), ms: 60_000 }),
  },
  {
    name: 'clock set back an hour while Segment is away',
    rate: 200,
    clockMs: -AN_HOUR_MS,
    // Few in memory: the others are read from the disk again, where their age is told by the clock.
    delivery: { maxPending: 300, maxAge: AN_HOUR_MS / 2 },
    mayGiveUp: ['overflow'],
    run: lasting({
      ...outage,
      begin: async ({ segment }, load) => {
        await segment.stop()
        load.setClockBack()
      },
    }),
  },
  {
    name: 'clock an hour behind that of the process before',
    rate: 200,
    needsOutbox: true,
    endings: ['during'],
    clockMs: -AN_HOUR_MS,
    delivery: { maxAge: AN_HOUR_MS / 2 },
    async run({ segment, start, everythingArrived }) {
      await segment.stop()
      const first = await start()
      await sleep(800)
      await first.stop()
      await segment.start()
      const second = await start({ clockMs: -AN_HOUR_MS })
      await everythingArrived()
      await segment.stop()
      await sleep(500)
      await second.stop()
      await segment.start()
    },
  },
  {
    name: 'kill -9 at 10 random instants, each time a restart',
    rate: 400,
    needsOutbox: true,
    endings: ['after'],
    run: kills(10),
  },
  {
    name: 'kill -9 at 100 random instants, each time a restart',
    rate: 400,
    isLong: true,
    needsOutbox: true,
    endings: ['after'],
    run: kills(100),
  },
  {
    name: 'two processes on one outbox, one killed',
    rate: 200,
    needsOutbox: true,
    async run({ segment, ending, start, everythingArrived }) {
      segment.respondWith({ status: 503 })
      const [one, other] = await Promise.all([start(), start()])
      await sleep(1_500)
      await one.kill()
      if (ending === 'during') {
        await other.stop()
        segment.respondWith('ok')
        return
      }
      segment.respondWith('ok')
      // The other looks for what the dead have left every five seconds.
      await everythingArrived()
      await other.stop()
    },
  },
  {
    name: 'disk full',
    rate: 200,
    needsOutbox: true,
    needsDisk: true,
    says: /outbox cannot be written/,
    run: lasting({ begin: ({ disk }) => disk.fill(), end: ({ disk }) => disk.free() }),
  },
  {
    name: 'disk full while Segment is away',
    rate: 200,
    needsOutbox: true,
    needsDisk: true,
    says: /outbox cannot be written/,
    mayGiveUpKept: ['closed'],
    run: lasting({
      begin: async ({ segment, disk }) => {
        await segment.stop()
        await sleep(500)
        await disk.fill()
      },
      end: async ({ segment, disk }) => {
        await disk.free()
        await segment.start()
      },
    }),
  },
  {
    name: 'disk full at the start, with calls of a killed process on it',
    rate: 200,
    needsOutbox: true,
    needsDisk: true,
    says: /outbox could not be opened/,
    mayGiveUpKept: ['closed'],
    async run({ segment, ending, start, disk }) {
      await segment.stop()
      const first = await start()
      await sleep(800)
      await first.kill()
      await disk.fill()
      const second = await start()
      await sleep(800)
      if (ending === 'after') {
        await segment.start()
        await until(() => segment.calls.length > 0)
      }
      await second.stop()
      await disk.free()
      if (ending === 'during') await segment.start()
    },
  },
  {
    name: 'files may grow no further (ulimit -f)',
    rate: 200,
    needsOutbox: true,
    says: /outbox cannot be written/,
    // 128 KB: the limit is reached at once, and lasts.
    run: lasting({ start: { fileBlocks: 256 }, begin: () => {}, end: () => {} }),
  },
  {
    name: 'files may grow no further (ulimit -f) while Segment is away',
    rate: 200,
    needsOutbox: true,
    says: /outbox cannot be written/,
    mayGiveUpKept: ['closed'],
    run: lasting({ ...outage, start: { fileBlocks: 256 } }),
  },
  {
    name: 'read-only directory',
    rate: 200,
    needsOutbox: true,
    needsDisk: process.getuid?.() === 0,
    says: /outbox could not be opened/,
    async run(stage) {
      // Permissions do not bind root; a file system that is read-only does.
      if (process.getuid?.() === 0) await stage.disk.makeReadOnly()
      else if (stage.outbox) await chmod(dirname(stage.outbox), 0o500)
      await lasting({ begin: () => {}, end: () => {} })(stage)
    },
  },
  {
    name: "the outbox's directory vanishes",
    rate: 200,
    needsOutbox: true,
    says: /outbox cannot be (written|used any more)/,
    run: lasting({ ...vanishing(), ms: 6_000 }),
  },
  {
    name: "the outbox's directory vanishes while Segment is away",
    rate: 200,
    needsOutbox: true,
    mayGiveUpKept: ['closed'],
    says: /outbox cannot be (written|used any more)/,
    run: lasting({
      begin: async (stage, load) => {
        await stage.segment.stop()
        await sleep(500)
        await vanishing().begin(stage, load)
      },
      end: ({ segment }) => segment.start(),
      ms: 6_000,
    }),
  },
  {
    name: "the outbox's directory vanishes while memory holds no more",
    rate: 400,
    needsOutbox: true,
    delivery: { maxPending: 200 },
    losesDisk: true,
    mayGiveUpKept: ['closed', 'overflow', 'damaged'],
    says: /outbox cannot be (written|used any more)/,
    run: lasting({
      begin: async (stage, load) => {
        await stage.segment.stop()
        await sleep(1_500)
        await vanishing().begin(stage, load)
      },
      end: ({ segment }) => segment.start(),
      ms: 6_000,
    }),
  },
]

/** As one worker that takes 100 calls a second. */
function slow(): Lasting {
  return {
    begin({ segment }) {
      let free = 0
      segment.respondWith(({ messageIds }) => {
        free = Math.max(free, Date.now()) + messageIds.length * 10
        return { delay: Math.min(8_000, free - Date.now()) }
      })
    },
    end: ({ segment }) => segment.respondWith('ok'),
  }
}

function vanishing(): Lasting {
  return {
    begin: ({ outbox }) => outbox && rm(outbox, { recursive: true, force: true }),
    end: () => {},
  }
}
