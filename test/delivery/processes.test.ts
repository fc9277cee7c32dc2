import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { startLoad } from '../faults/process.js'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, expectBalance, upTo } from './delivering.js'

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outbox-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'outbox')
}

const cli = (...args: string[]) => {
  const file = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
  return promisify(execFile)(process.execPath, ['--import', 'tsx', file, ...args])
}

describe('an outbox, between processes', () => {
  it('survives kill -9: the next process sends what was committed, and the command shows it', async () => {
    const segment = await segmentServer()
    const outbox = temporary()
    segment.respondWith({ status: 503 })
    const load = await startLoad({ segment: segment.url, outbox, rate: 400, shutdownMs: 5_000 })
    await vi.waitUntil(() => load.made.size > 300)
    await load.kill()
    const committed = [...load.committed]
    expect(committed.length).toBeGreaterThan(100)

    const { stdout } = await cli('outbox', outbox)
    expect(Number(/^(\d+) calls wait in 1 store, 0 are kept aside/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(
      committed.length,
    )
    const { stdout: exported } = await cli('outbox', outbox, '--export')
    const lines = exported
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(committed))
    expect(lines[0]).toMatchObject({ state: 'waiting', type: 'track', params: { event: 'order complete' } })

    segment.respondWith('ok')
    const { tracking } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory: outbox }) },
    })
    await vi.waitUntil(() => tracking.stats().calls.delivered === lines.length)
    const there = new Set(segment.calls.map(({ messageId }) => messageId))
    expect(committed.filter((id) => !there.has(id))).toEqual([])
    expect(tracking.stats().calls).toMatchObject({ made: lines.length, pending: 0 })
    for (const { sentAt, receivedAt } of segment.batches) {
      expect(receivedAt.getTime() - Date.parse(sentAt ?? '')).toBeLessThan(1_000)
    }
    await tracking.shutdown()
    expect(readdirSync(outbox)).toEqual([])
  }, 40_000)

  it('goes from a killed process to a living one', async () => {
    const segment = await segmentServer()
    const outbox = temporary()
    segment.respondWith({ status: 503 })
    const [one, other] = await Promise.all(
      [1, 2].map(() => startLoad({ segment: segment.url, outbox, rate: 100, shutdownMs: 5_000 })),
    )
    if (!one || !other) throw new Error('a load is missing')
    await vi.waitUntil(() => one.made.size > 50 && other.made.size > 50)
    await one.kill()
    segment.respondWith('ok')
    const committed = [...one.committed]
    const there = () => new Set(segment.calls.map(({ messageId }) => messageId))
    await vi.waitUntil(() => committed.every((id) => there().has(id)), { timeout: 12_000, interval: 200 })
    await other.stop()
    expect([...other.made.keys()].filter((id) => !there().has(id))).toEqual([])
    expect(other.end?.stats.calls).toMatchObject({ pending: 0 })
  }, 40_000)

  it('belongs to a living process although two trackings of it share the directory', async () => {
    const segment = await segmentServer()
    const elsewhere = await segmentServer()
    const outbox = temporary()
    await segment.stop()
    const delivery = () => ({ delivery: { outbox: fileOutbox({ directory: outbox }) } })
    const one = await delivering(segment, delivery())
    await one.trackMany(20)
    await one.tracking.flush({ timeout: 100 })
    // The second looks at the store of the first, and must leave it locked.
    const two = await delivering(segment, delivery())
    await two.trackMany(20)
    await two.tracking.flush({ timeout: 100 })
    const other = await startLoad({ segment: elsewhere.url, outbox, rate: 200, shutdownMs: 5_000 })
    await elsewhere.waitFor(50, 15_000)
    await other.stop()
    expect(elsewhere.calls.filter(({ messageId }) => !other.made.has(messageId ?? ''))).toEqual([])
    await segment.start()
    await Promise.all([one.tracking.flush(), two.tracking.flush()])
    expect(segment.calls).toHaveLength(40)
  }, 40_000)

  it('survives files that are cut off anywhere', async () => {
    const segment = await segmentServer()
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), async (which, where) => {
        const directory = temporary()
        const outbox = () => ({ delivery: { outbox: fileOutbox({ directory }) } })
        await segment.stop()
        const first = await delivering(segment, outbox())
        await first.trackMany(50)
        await first.tracking.flush({ timeout: 100 })
        expect(await first.tracking.shutdown()).toMatchObject({ kept: 50 })
        const [name = ''] = readdirSync(directory)
        const files = readdirSync(join(directory, name)).sort()
        const file = join(directory, name, files[which % files.length] ?? '')
        truncateSync(file, Math.floor(statSync(file).size * where))

        await segment.start()
        segment.clear()
        const second = await delivering(segment, outbox())
        await second.trackMany(10, (index) => ({ index: 1_000 + index }))
        await second.tracking.flush()
        await second.tracking.shutdown()
        expect(arrived(segment)).toEqual(expect.arrayContaining(upTo(10).map((index) => 1_000 + index)))
        expect(second.tracking.stats().calls.pending).toBe(0)
        expectBalance(second.tracking)
      }),
      { numRuns: 15 },
    )
  }, 90_000)
})

describe('npx reqtrack', () => {
  it('counts one call as one', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await segment.stop()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await trackMany(1)
    expect(await tracking.shutdown()).toMatchObject({ kept: 1 })
    const { stdout } = await cli('outbox', directory)
    expect(stdout).toMatch(/^1 call waits in 1 store, 0 are kept aside\n {2}\S+: 1 call, /)
  })

  it('sink prints calls as they come', async () => {
    const file = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', file, 'sink', '--port', '0'])
    onTestFinished(() => {
      child.kill()
    })
    const said = await new Promise<string>((resolve) =>
      child.stderr.once('data', (text) => resolve(String(text))),
    )
    const url = /http:\/\/\S+?(?=:? set|: )/.exec(said)?.[0] ?? ''
    const printed = new Promise<string>((resolve) =>
      child.stdout.once('data', (text) => resolve(String(text))),
    )
    const body = JSON.stringify({
      batch: [{ type: 'track', event: 'Order Completed', userId: 'u-1', messageId: 'm' }],
    })
    await fetch(`${url}/v1/batch`, {
      method: 'POST',
      body,
      headers: { authorization: `Basic ${btoa('k:')}` },
    })
    expect(await printed).toContain('Order Completed')
  })

  it('says what it can do, and fails, when it is asked for something else', async () => {
    await expect(cli('nonsense')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('sink') })
    await expect(cli('outbox', '/does/not/exist')).rejects.toMatchObject({ code: 1 })
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect((await cli('--version')).stdout).toBe(`${version}\n`)
    expect((await cli('--help')).stdout).toContain('npx reqtrack outbox TARGET')
  })
})
