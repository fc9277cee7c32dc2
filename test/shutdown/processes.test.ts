import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../scripts/free-port.js'
import { segmentServer } from '../support/servers.js'
import { startChild } from './child.js'
import type { AppOptions } from './fixtures/app.js'
import type { ClusterOptions } from './fixtures/cluster.js'

/** The status of an answer, whose connection is not kept. */
function ask(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (res) => res.resume().on('end', () => resolve(res.statusCode))).on(
      'error',
      reject,
    )
  })
}

describe('node:cluster', () => {
  it('drains each of its workers', async () => {
    const segment = await segmentServer()
    const options: ClusterOptions = { segment: segment.url, port: await freePort() }
    const primary = startChild('cluster.ts', options)
    const workers = (await primary.tell('ready', 2)).map(({ pid }) => pid)
    const answers = Array.from({ length: 20 }, () => ask(`http://127.0.0.1:${options.port}/slow/500`))
    const requests = await primary.tell('request', 20)
    expect(new Set(requests.map(({ pid }) => pid))).toEqual(new Set(workers))
    primary.signal('SIGTERM')

    expect(await Promise.all(answers)).toEqual(Array.from(answers, () => 200))
    expect(await primary.exited).toMatchObject({ code: 0, signal: null })
    const exits = await primary.tell('child exit', 2)
    expect(exits.map(({ pid, code, signal }) => ({ pid, code, signal }))).toEqual(
      expect.arrayContaining(workers.map((pid) => ({ pid, code: 0, signal: null }))),
    )
    for (const { report, pid } of await primary.tell('shutdown', 2)) {
      const served = requests.filter((request) => request.pid === pid).length
      expect(report).toMatchObject({ delivered: 2 * served, pending: 0, timedOut: false })
    }
    expect(segment.calls).toHaveLength(40)
  })
})

describe('node --watch', () => {
  it('restarts an application when it has drained', async () => {
    const segment = await segmentServer()
    const folder = await mkdtemp(join(tmpdir(), 'shutdown-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const entry = join(folder, 'entry.mjs')
    await writeFile(
      entry,
      `await import(${JSON.stringify(new URL('./fixtures/app.ts', import.meta.url).href)})\n`,
    )

    const options: AppOptions = { segment: segment.url }
    const watcher = startChild(entry, options, ['--watch'])
    const [first] = await watcher.tell('ready')
    const answer = ask(`http://127.0.0.1:${first?.ports[0]}/slow/500`)
    await watcher.tell('request')
    const now = new Date()
    await utimes(entry, now, now)

    expect(await answer).toBe(200)
    const [, second] = await watcher.tell('ready', 2)
    expect(second?.pid).not.toBe(first?.pid)
    const kinds = watcher.told.map(({ type }) => type)
    expect(kinds).toEqual(['ready', 'request', 'log', 'shutdown', 'exit', 'ready'])
    expect(segment.calls).toHaveLength(2)
    expect(await ask(`http://127.0.0.1:${second?.ports[0]}/slow/1`)).toBe(200)
    watcher.signal('SIGTERM')
    await watcher.exited
  })
})
