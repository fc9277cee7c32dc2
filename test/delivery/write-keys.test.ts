import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { fileOutbox, type Outbox } from '../../src/delivery/outbox/file.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, temporaryDirectory, upTo } from './delivering.js'

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 16)

/** Leaves calls of a write key, as a process does that ends while Segment is away. */
async function leave(writeKey: string, segment: SegmentServer, directory: string, count = 20): Promise<void> {
  await segment.stop()
  const { tracking, trackMany } = await delivering(segment, {
    settings: { writeKey },
    delivery: { outbox: fileOutbox({ directory }) },
  })
  await trackMany(count)
  await tracking.flush({ timeout: 50 })
  expect(await tracking.shutdown()).toMatchObject({ kept: count })
  await segment.start()
}

/** An outbox that cannot tell the calls of one write key from those of another, and whether it has looked for any. */
function looking(directory: string): { outbox: Outbox; looks: () => number } {
  const outbox = fileOutbox({ directory })
  let looks = 0
  return {
    looks: () => looks,
    outbox: {
      ...outbox,
      open: (session) =>
        outbox.open({
          ...session,
          writeKeyHash: '',
          ready() {
            looks++
            session.ready()
          },
        }),
    },
  }
}

describe('an outbox of two write keys', () => {
  it.each([
    ['that knows its stores', true],
    ['whose marks are gone', false],
  ])('%s sends no call with the key of another', async (_name, hasMarks) => {
    const segment = await segmentServer()
    const elsewhere = await segmentServer()
    const directory = temporaryDirectory()
    await leave('key-a', segment, directory)
    const [name = ''] = readdirSync(directory)
    if (!hasMarks) rmSync(join(directory, name, 'reqtrack'))
    const { outbox, looks } = looking(directory)
    const other = await delivering(elsewhere, { settings: { writeKey: 'key-b' }, delivery: { outbox } })
    await vi.waitUntil(() => looks() > 0)
    await other.trackMany(3)
    await elsewhere.waitFor(3)
    await other.tracking.shutdown()
    expect(elsewhere.calls).toHaveLength(3)
    expect(readdirSync(directory)).toEqual([name])

    const own = await delivering(segment, {
      settings: { writeKey: 'key-a' },
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await segment.waitFor(20)
    expect(await own.tracking.shutdown()).toMatchObject({ delivered: 20, kept: 0 })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(20)))
    expect(readdirSync(directory)).toEqual([])
  })

  it('lets the other process of the key take its calls over while one of another key lives', async () => {
    const segment = await segmentServer()
    const elsewhere = await segmentServer()
    const directory = temporaryDirectory()
    await leave('key-a', segment, directory)
    const other = await delivering(elsewhere, {
      settings: { writeKey: 'key-b' },
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await other.trackMany(1)
    await elsewhere.waitFor(1)
    await delivering(segment, {
      settings: { writeKey: 'key-a' },
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await segment.waitFor(20)
    await other.tracking.shutdown()
    expect(elsewhere.calls).toHaveLength(1)
  })

  it('shows the hash of the key, and never stores the key itself', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    await leave('a-secret-write-key', segment, directory)
    const [name = ''] = readdirSync(directory)
    for (const file of readdirSync(join(directory, name))) {
      expect(readFileSync(join(directory, name, file), 'latin1')).not.toContain('a-secret-write-key')
    }
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      cli,
      'outbox',
      directory,
    ])
    expect(stdout).toContain(`write key ${hashOf('a-secret-write-key')}`)
  })
})
