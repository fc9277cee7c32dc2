import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { temporaryDirectory } from './delivering.js'

const source = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)))

/** What calls take that wait while Segment is away: bytes of heap and buffers, measured in a process of its own. */
async function waiting(
  host: string,
  calls: number,
  data: string,
  delivery: string,
  outbox = '',
): Promise<number> {
  const script = `
    import { createTracking } from ${source('index.ts')}
    import { fileOutbox } from ${source('delivery/outbox/file.ts')}
    const outbox = ${JSON.stringify(outbox)}
    const tracking = createTracking({
      settings: { writeKey: 'k', host: ${JSON.stringify(host)}, flushAt: 100, flushInterval: 10 },
      delivery: { ...${delivery}, ...(outbox && { outbox: fileOutbox({ directory: outbox }) }) },
      logger: { handler: () => {} },
    })
    const used = () => {
      gc()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const track = (count) => tracking.run({ user: { id: 'u' } }, (tracker) => {
      for (let index = 0; index < count; index++) tracker.track('order complete', ${data})
    })
    track(1)
    await tracking.flush({ timeout: 500 })
    const before = used()
    for (let made = 0; made < ${calls}; made += 50) {
      track(50)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    const { events, calls } = tracking.stats()
    console.log(used() - before, calls.pending + calls.failed.overflow + events.dropped.overflow, calls.pending)
    // Losing what waits is what this is about: without a code of its own the process would end with 1.
    process.exit(0)`
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [bytes = 0, accounted = 0, pending = 0] = stdout.trim().split(' ').map(Number)
  expect(accounted).toBe(calls + 1)
  expect(pending).toBeGreaterThan(100)
  return bytes
}

const MB = 1024 * 1024

/** Data that take far more memory as objects than as text, or as text than as UTF-8. */
const SHAPES = {
  'a list of empty objects': '{ list: Array.from({ length: 9_000 }, () => ({})) }',
  'a list of empty lists': '{ list: Array.from({ length: 9_000 }, () => []) }',
  'many small members':
    "Object.fromEntries(Array.from({ length: 1_500 }, (_, key) => ['k' + key, { a: 1 }]))",
  'a text of two-byte characters': "{ text: '語' + 'x'.repeat(30_000) }",
  'a long plain text': "{ text: 'x'.repeat(30_000) }",
}

describe('what calls take in memory while Segment is away', () => {
  it.each(Object.entries(SHAPES))('is within twice maxBytes for %s', async (_name, data) => {
    const segment = await segmentServer()
    const host = segment.url
    await segment.stop()
    expect(await waiting(host, 1_000, data, '{ maxBytes: 16_000_000 }')).toBeLessThan(32_000_000)
  })

  it('is within twice maxBytes with an outbox, which holds all', async () => {
    const segment = await segmentServer()
    const host = segment.url
    await segment.stop()
    const data = SHAPES['a list of empty objects']
    const bytes = await waiting(host, 1_000, data, '{ maxBytes: 16_000_000 }', temporaryDirectory())
    expect(bytes).toBeLessThan(32_000_000)
  })

  it('is no more than twice their JSON where there is room for all', async () => {
    const segment = await segmentServer()
    const host = segment.url
    await segment.stop()
    const bytes = await waiting(host, 1_000, SHAPES['a list of empty objects'], '{}')
    expect(bytes).toBeLessThan(62 * MB)
  })
})
