import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startRedisServer } from '../../scripts/redis-server.js'
import { hasRedis, redisServer } from './redis.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Sends commands over a connection of its own. */
function ask(port: number, ...commands: string[]): Promise<string> {
  const socket = createConnection(port, '127.0.0.1')
  socket.end([...commands, 'QUIT\r\n'].join('\r\n'))
  return text(socket)
}

describe.skipIf(!hasRedis)('a Redis server of a test', () => {
  it('is its own, comes back after a crash, and leaves nothing', async () => {
    const [one, other] = await Promise.all([redisServer(), startRedisServer()])
    expect(await ask(one.port, 'SET name one')).toContain('+OK')
    expect(await ask(other.port, 'GET name')).toContain('$-1')
    await other.crash()
    await expect(ask(other.port, 'PING')).rejects.toThrow('ECONNREFUSED')
    await other.restart()
    expect(await ask(other.port, 'PING')).toContain('+PONG')
    await other.stop()
    await expect(ask(other.port, 'PING')).rejects.toThrow('ECONNREFUSED')
    expect(existsSync(other.directory)).toBe(false)
  })

  it('keeps what it was told to keep over a crash', async () => {
    const server = await redisServer({ options: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    await ask(server.port, 'SET name kept')
    await server.restart()
    expect(await ask(server.port, 'GET name')).toContain('kept')
  })

  it('says what a server that does not start has said', async () => {
    await expect(redisServer({ options: ['--no-such-option', 'yes'] })).rejects.toThrow(/no-such-option/)
  })
})

describe('a machine where there is no Redis and none may be installed', () => {
  const runWithout = (...parameters: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', ...parameters], {
      cwd: root,
      env: { ...process.env, PATH: '/nowhere', REDIS_SERVER_PATH: '' },
      encoding: 'utf8',
    })

  it('is told in one line how to get one', () => {
    const { status, stderr } = runWithout('scripts/ensure-redis.ts')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^There is no redis-server here: install it .*\n$/)
  })

  it('is told in one line that tests are skipped', () => {
    const setup = "import('./test/support/redis-setup.ts').then(({ default: setup }) => setup())"
    const { status, stderr } = runWithout('--eval', setup)
    expect(status).toBe(0)
    expect(stderr).toMatch(
      /^Tests that need Redis are skipped\. There is no redis-server here: install it .*\n$/,
    )
  })
})
