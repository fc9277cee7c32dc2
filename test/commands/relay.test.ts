import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisOutbox } from '../../src/redis/index.js'
import { delivering } from '../delivery/delivering.js'
import { clientOf } from '../redis/clients.js'
import { fleet } from '../relay/relaying.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { startRelay } from './running-relay.js'

const A_START_MS = 30_000

/** A file of write keys that goes with the test. */
function keyFile(text: string): { readonly path: string; write(text: string): void } {
  const folder = mkdtempSync(join(tmpdir(), 'reqtrack-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'keys')
  const write = (content: string) => writeFileSync(path, content)
  write(text)
  return { path, write }
}

describe.skipIf(!hasRedis)('npx reqtrack relay', { timeout: A_START_MS }, () => {
  it('sends what was written, serves its port, and ends clean', async () => {
    const { redis, segment, write } = await fleet()
    await write(40)
    const relay = startRelay(['--redis', redis.url, '--port', '0', '--host', segment.url], {
      SEGMENT_WRITE_KEY: 'test-key',
    })
    await segment.waitFor(40, A_START_MS)
    const url = await relay.url()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text())
      .toContain('\nreqtrack_relay_calls_delivered_total 40\n')
    await write(5, 40)
    await segment.waitFor(45, 10_000)
    expect(await relay.stop()).toBe(0)
    expect(segment.duplicates).toEqual([])
    const log = relay.lines.join('\n')
    expect(log).toContain('the relay was shut down')
    expect(log).not.toContain('test-key')
    expect(log).not.toContain('u-1')
  })

  it('waits for a Redis that is away, and for one that goes', async () => {
    const { redis, segment, write } = await fleet({
      redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    await write(10)
    await redis.crash()
    const relay = startRelay(['--port', '0'], {
      REDIS_URL: redis.url,
      SEGMENT_HOST: segment.url,
      SEGMENT_WRITE_KEY: 'test-key',
    })
    await relay.line(/there is no connection to Redis/)
    const url = await relay.url()
    expect((await fetch(`${url}/healthz`)).status).toBe(503)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    await redis.restart()
    await segment.waitFor(10, A_START_MS)
    await redis.crash()
    await expect.poll(async () => (await fetch(`${url}/healthz`)).status).toBe(503)
    await redis.restart()
    await expect.poll(async () => (await fetch(`${url}/healthz`)).status).toBe(200)
    await write(10, 10)
    await segment.waitFor(20, 10_000)
    expect(await relay.stop()).toBe(0)
  })

  it('ends while it waits for Redis', async () => {
    const redis = await redisServer()
    await redis.crash()
    const relay = startRelay(['--redis', redis.url], { SEGMENT_WRITE_KEY: 'test-key' })
    await relay.line(/there is no connection to Redis/)
    expect(await relay.stop('SIGINT')).toBe(0)
  })

  it('ends within its time during a batch, and gives back what it has: another takes it at once', async () => {
    const { redis, segment, write } = await fleet()
    let asked = 0
    segment.respondWith(() => {
      asked++
      return { delay: 60_000 }
    })
    await write(20)
    const options = ['--redis', redis.url, '--host', segment.url, '--timeout', '800']
    const relay = startRelay(options, { SEGMENT_WRITE_KEY: 'test-key' })
    await expect.poll(() => asked, { timeout: A_START_MS }).toBeGreaterThan(0)
    const began = performance.now()
    expect(await relay.stop()).toBe(0)
    expect(performance.now() - began).toBeLessThan(8_000)
    expect(relay.lines.join('\n')).toMatch(/"kept":20/)
    segment.respondWith('ok')
    const other = startRelay([...options, '--port', '0'], { SEGMENT_WRITE_KEY: 'test-key' })
    const url = await other.url()
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text())
      .toContain('reqtrack_relay_calls_delivered_total 20')
    expect(await other.stop()).toBe(0)
  })

  it('goes on after a SIGSTOP for longer than the claim time, while another has done its work', async () => {
    const { redis, segment, write } = await fleet()
    const options = ['--redis', redis.url, '--host', segment.url, '--claim-after', '500']
    segment.respondWith({ status: 503 })
    await write(20)
    const stopped = startRelay([...options, '--port', '0'], { SEGMENT_WRITE_KEY: 'test-key' })
    const url = await stopped.url()
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text(), { timeout: A_START_MS })
      .toContain('reqtrack_relay_pending_calls 20')
    stopped.child.kill('SIGSTOP')
    segment.respondWith('ok')
    const other = startRelay([...options, '--port', '0'], { SEGMENT_WRITE_KEY: 'test-key' })
    const otherUrl = await other.url()
    await expect
      .poll(async () => (await fetch(`${otherUrl}/metrics`)).text())
      .toContain('reqtrack_relay_waiting_calls 0')
    stopped.child.kill('SIGCONT')
    await write(20, 20)
    await segment.waitFor(40, 10_000)
    expect(await stopped.stop()).toBe(0)
    expect(await other.stop()).toBe(0)
    expect(new Set(segment.calls.map(({ messageId }) => messageId)).size).toBe(40)
  })

  it('serves several write keys of a file, and takes its changes; what is malformed changes nothing', async () => {
    const redis = await redisServer()
    const segment = await segmentServer()
    const web = async (writeKey: string) => {
      const { client } = await clientOf(redis.url)
      const { tracking, trackMany } = await delivering(segment, {
        settings: { writeKey },
        delivery: { outbox: redisOutbox({ client, commitInterval: 5 }), send: false },
      })
      return async (count: number) => {
        await trackMany(count)
        await tracking.flush()
      }
    }
    const [shop, blog, docs] = [await web('shop-key'), await web('blog-key'), await web('docs-key')]
    await shop(3)
    await blog(4)
    await docs(5)
    const file = keyFile('{ "shop": "shop-key", "blog": "blog-key" }')
    const relay = startRelay([
      '--redis',
      redis.url,
      '--host',
      segment.url,
      '--keys',
      file.path,
      '--port',
      '0',
    ])
    await segment.waitFor(7, A_START_MS)
    const url = await relay.url()
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text())
      .toMatch(/delivered_total\{write_key="\w{16}",source="blog"\} 4/)

    file.write('{ "shop": "shop-key", "docs": }')
    relay.child.kill('SIGHUP')
    await relay.line(/is no JSON.*stay as they were/)
    await shop(1)
    await segment.waitFor(8, 10_000)

    file.write('{ "shop": "shop-key", "docs": "docs-key" }')
    relay.child.kill('SIGHUP')
    await relay.line(/has changed {"started":1,"ended":1}/)
    await segment.waitFor(13, 10_000)
    await blog(1)
    await shop(1)
    await segment.waitFor(14, 10_000)
    expect(await relay.stop()).toBe(0)
    // What was written with the key that is gone waits for a relay that has it.
    expect(segment.calls).toHaveLength(14)
    expect(relay.lines.join('\n')).not.toMatch(/(shop|blog|docs)-key/)
  })

  it.each<[string, string[], Record<string, string>, RegExp, number]>([
    ['no write key', ['--redis', 'redis://127.0.0.1:1'], {}, /needs a write key/, 2],
    [
      'a file that is missing',
      ['--redis', 'redis://127.0.0.1:1', '--keys', '/nonexistent'],
      {},
      /cannot be read \(ENOENT\)/,
      1,
    ],
  ])('does not begin with %s', async (_name, args, environment, message, code) => {
    const relay = startRelay(args, environment)
    expect(await relay.exit).toBe(code)
    expect(relay.lines.join('\n')).toMatch(message)
  })

  it('does not begin, and takes nothing, where its port is taken', async () => {
    const { redis, segment, write } = await fleet()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await write(3)
    const relay = startRelay(['--redis', redis.url, '--host', segment.url, '--port', String(port)], {
      SEGMENT_WRITE_KEY: 'test-key',
    })
    expect(await relay.exit).toBe(1)
    expect(relay.lines.join('\n')).toContain(`port ${port} is taken`)
    expect(segment.calls).toEqual([])
  })
})
