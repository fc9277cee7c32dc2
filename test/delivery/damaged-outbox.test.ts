import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { session } from '../support/outboxes.js'
import { segmentServer } from '../support/servers.js'
import { delivering, expectBalance, keptLog, temporaryDirectory } from './delivering.js'

interface Left {
  readonly directory: string
  readonly store: string
  /** What has to arrive for each messageId, if anything does. */
  readonly calls: ReadonlyMap<string, string>
}

const textOf = (index: number) =>
  JSON.stringify({
    userId: `u-${index % 97}`,
    messageId: `m-${index}`,
    event: 'E',
    timestamp: new Date(index),
    properties: { index, text: `${index} `.repeat(60) },
  })

/** Leaves calls as a process does that was killed (in the log), or that had filled its buffer or ended (in tables). */
async function leave(count: number, directory = temporaryDirectory()): Promise<Left> {
  const opened = await fileOutbox({ directory }).open(session().session)
  const calls = new Map<string, string>()
  for (let number = 1; number <= count; ) {
    const group = []
    for (; group.length < 50 && number <= count; number++) {
      const messageId = `m-${number}`
      calls.set(messageId, textOf(number))
      group.push({ type: 'track' as const, messageId, madeAt: Date.now(), text: textOf(number) })
    }
    await opened.write(group, 0)
  }
  await opened.close()
  const [name = ''] = readdirSync(directory)
  return { directory, store: join(directory, name), calls }
}

/** Moves the calls of a store from its log to a table. */
async function toTable(store: string): Promise<void> {
  const db = new ClassicLevel(store)
  await db.open()
  await db.compactRange('0', '9')
  await db.close()
}

/** Takes over what was left, and tells what was read and what is said of the rest. */
async function adopt({ directory, calls }: Left) {
  let isReady = false
  const { session: listening, told } = session({
    ready() {
      isReady = true
    },
  })
  const opened = await fileOutbox({ directory }).open(listening)
  await vi.waitUntil(() => isReady || told.said.some((line) => line.includes('kept as *.broken')))
  const read = new Set<string>()
  const changed: string[] = []
  for (;;) {
    const some = await opened.take(200)
    for (const { messageId, type, text } of some) {
      if (calls.get(messageId) !== text || type !== 'track') changed.push(messageId)
      read.add(messageId)
    }
    await opened.settle(some.map(({ receipt }) => receipt))
    if (some.length < 200) break
  }
  await opened.close()
  return { read: read.size, changed, lost: told.lostOfOthers, said: told.said }
}

/** Files of the engine that hold something. */
function filesOf(store: string, suffix = /./): string[] {
  return readdirSync(store)
    .filter((name) => suffix.test(name) && !/^LO(CK|G)/.test(name) && statSync(join(store, name)).size > 0)
    .sort()
}

function flip(file: string, where: number): void {
  const bytes = readFileSync(file)
  const bit = Math.floor(bytes.length * 8 * where)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  writeFileSync(file, bytes)
}

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

describe('an outbox with damaged files', () => {
  it.each([
    ['a flipped bit in a table', true, /\.ldb$/, flip],
    ['a flipped bit in the log', false, /\.log$/, flip],
    ['a flipped bit in the MANIFEST', true, /^MANIFEST/, flip],
    ['a flipped bit in CURRENT', true, /^CURRENT/, flip],
    ['a flipped bit anywhere', true, /./, flip],
    ['a table cut short', true, /\.ldb$/, cut],
    ['a log cut short', false, /\.log$/, cut],
    ['a MANIFEST cut short', true, /^MANIFEST/, cut],
    ['any file cut short', true, /./, cut],
    ['any file missing', true, /./, (file: string) => rmSync(file)],
    ['a log missing', false, /\.log$/, (file: string) => rmSync(file)],
    ['any file of garbage', true, /./, (file: string) => writeFileSync(file, 'garbage\n'.repeat(50))],
  ] as const)(
    'that is %s gives no changed call, and counts every lost one',
    async (_name, inTable, which, damage) => {
      await fc.assert(
        fc.asyncProperty(place, place, async (file, where) => {
          const left = await leave(400)
          if (inTable) await toTable(left.store)
          const files = filesOf(left.store, which)
          damage(join(left.store, files[Math.floor(files.length * file)] ?? ''), where)
          const { read, changed, lost, said } = await adopt(left)
          expect(changed).toEqual([])
          expect(read + lost).toBe(400)
          if (lost > 0) expect(said).not.toEqual([])
          // What could not be read is still there.
          if (lost > 0) expect(readdirSync(left.directory)).not.toEqual([])
          rmSync(left.directory, { recursive: true })
        }),
        { numRuns: 10 },
      )
    },
    60_000,
  )

  function cut(file: string, where: number): void {
    truncateSync(file, Math.floor(statSync(file).size * where))
  }
})

/** Changes the records of a store as they are written in it. */
async function rewrite(
  store: string,
  change: (db: ClassicLevel, keys: string[]) => Promise<void>,
): Promise<void> {
  const db = new ClassicLevel(store)
  await change(db, await db.keys().all())
  await db.close()
}

async function deliverLeft(segment: SegmentServer, directory: string) {
  const { lines, logger } = keptLog()
  const { tracking } = await delivering(segment, { logger, delivery: { outbox: fileOutbox({ directory }) } })
  return { lines, tracking }
}

describe('a delivery from a damaged outbox', () => {
  it('sets a changed call aside, counts it as `damaged`, says so, and sends the others', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(100)
    await rewrite(store, async (db, keys) => {
      const key = keys[9] ?? ''
      await db.put(key, String(await db.get(key)).replace('u-10', 'u-11'))
    })
    const { lines, tracking } = await deliverLeft(segment, directory)
    await segment.waitFor(99)
    await tracking.flush()
    await vi.waitUntil(() => tracking.stats().calls.failed.damaged === 1)
    expect(segment.calls.filter(({ messageId }) => messageId === 'm-10')).toEqual([])
    expectBalance(tracking)
    expect(tracking.health().lastError).toContain('changed on the disk')
    expect(lines.filter(({ message }) => message.includes('changed on the disk'))).toHaveLength(1)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 99, kept: 0 })
    expect(readdirSync(directory)).toEqual(['aside.jsonl'])
    const aside = JSON.parse(readFileSync(join(directory, 'aside.jsonl'), 'utf8'))
    expect(aside).toMatchObject({ reason: 'damaged', record: expect.stringContaining('m-10') })
  })

  it('sends no call under the number of another', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(20)
    await rewrite(store, async (db, keys) => {
      await db.put(keys[4] ?? '', String(await db.get(keys[5] ?? '')))
    })
    const { tracking } = await deliverLeft(segment, directory)
    await vi.waitUntil(() => tracking.stats().calls.failed.damaged === 1)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 19, kept: 0 })
  })

  it('leaves what it does not know in its store, and says so once', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(20)
    const newer = ['{"v":9}', '3 abcdefghijklmnop what comes', 'nonsense']
    await rewrite(store, async (db) => {
      for (const [index, record] of newer.entries()) await db.put(`00000000000900${index}`, record)
    })
    for (let start = 0; start < 2; start++) {
      const { lines, tracking } = await deliverLeft(segment, directory)
      await segment.waitFor(20)
      await vi.waitUntil(() => lines.length > 0)
      expect(await tracking.shutdown()).toMatchObject({ kept: 0 })
      expect(lines.filter(({ message }) => message.includes('this version cannot read'))).toHaveLength(1)
      expect(tracking.stats().calls.failed.damaged).toBe(0)
      expectBalance(tracking)
    }
    expect(segment.duplicates).toEqual([])
    const db = new ClassicLevel(store)
    expect(await db.values().all()).toEqual(newer)
    await db.close()
  })

  it('leaves a store of a newer format alone', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(20)
    const { sumOf } = await import('../../src/delivery/outbox/record.js')
    writeFileSync(join(store, 'reqtrack'), `reqtrack 3 20  ${sumOf('3 20 ')}\n`)
    const { lines, tracking } = await deliverLeft(segment, directory)
    await vi.waitUntil(() => lines.some(({ message }) => message.includes('newer version')))
    await tracking.shutdown()
    expect(segment.calls).toEqual([])
    expect(readdirSync(directory)).toHaveLength(1)
  })

  it('reads a store of the first format, which had neither marks nor checksums', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(1)
    rmSync(join(store, 'reqtrack'))
    await rewrite(store, async (db, keys) => {
      await db.del(keys[0] ?? '')
      for (let number = 1; number <= 30; number++) {
        const head = JSON.stringify(['track', `m-${number}`, Date.now()])
        await db.put(String(number).padStart(15, '0'), `${head}\n${textOf(number)}`)
      }
    })
    const { lines, tracking } = await deliverLeft(segment, directory)
    await segment.waitFor(30)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 30, kept: 0 })
    expect(lines.filter(({ message }) => message.includes('outbox'))).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  it('counts a call of the first format as damaged whose text is no object, or another call', async () => {
    const segment = await segmentServer()
    const { directory, store } = await leave(1)
    rmSync(join(store, 'reqtrack'))
    await rewrite(store, async (db, keys) => {
      await db.del(keys[0] ?? '')
      for (const [number, text] of ['null', '[]', '1', textOf(4), textOf(1)].entries())
        await db.put(
          String(number + 1).padStart(15, '0'),
          `${JSON.stringify(['track', `m-${number + 1}`, Date.now()])}\n${text}`,
        )
    })
    const { tracking } = await deliverLeft(segment, directory)
    await segment.waitFor(1)
    await tracking.shutdown()
    expect(segment.calls).toHaveLength(1)
    expect(tracking.stats().calls).toMatchObject({ delivered: 1, failed: { damaged: 4 } })
  })

  it('refuses a call whose params have another messageId than its record', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    const opened = await fileOutbox({ directory }).open(session().session)
    const call = { type: 'track' as const, madeAt: Date.now(), text: textOf(1) }
    await opened.write(
      ['m-1', 'm-2'].map((messageId) => ({ ...call, messageId })),
      0,
    )
    await opened.close()
    const { tracking } = await deliverLeft(segment, directory)
    await segment.waitFor(1)
    await tracking.shutdown()
    expect(segment.calls.map(({ messageId }) => messageId)).toEqual(['m-1'])
    expect(tracking.stats().calls).toMatchObject({ delivered: 1, pending: 0, failed: { rejected: 1 } })
    expect(readFileSync(join(directory, 'aside.jsonl'), 'utf8')).toContain('"messageId":"m-2"')
  })
})
