import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { redisOutbox } from '../../src/redis/index.js'
import { checkOutbox } from '../../src/testing/index.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { clientOf } from './clients.js'
import { CLIENTS } from './libraries.js'

const SHORT = { takeoverMs: 8_000, settleMs: 150 }

describe.skipIf(!hasRedis)('redisOutbox', () => {
  it.each(Object.keys(CLIENTS))(
    'keeps the contract of every engine, with %s',
    async (library) => {
      const redis = await redisServer()
      vi.stubEnv('CHECKED_REDIS', redis.url)
      vi.stubEnv('CHECKED_LIBRARY', library)
      vi.stubEnv('NODE_OPTIONS', '--import tsx')
      onTestFinished(() => void vi.unstubAllEnvs())
      const { client } = await clientOf(redis.url, library)
      const { leftOut } = await checkOutbox(
        () => redisOutbox({ client, claimAfter: 400, commitInterval: 0 }),
        {
          ...SHORT,
          module: fileURLToPath(new URL('fixtures/outbox.ts', import.meta.url)),
          fault: {
            begin: () => process.kill(redis.pid, 'SIGSTOP'),
            end: () => process.kill(redis.pid, 'SIGCONT'),
          },
        },
      )
      expect(leftOut).toEqual(['says what it gives up for want of room'])
    },
    60_000,
  )

  it('says what it gives up for want of room', async () => {
    const redis = await redisServer()
    const { client } = await clientOf(redis.url)
    const { leftOut } = await checkOutbox(() => redisOutbox({ client, maxCalls: 200, claimAfter: 400 }), {
      ...SHORT,
      maxCalls: 200,
    })
    expect(leftOut).not.toContain('says what it gives up for want of room')
  }, 60_000)
})
