// The soak: Segment is away and events keep coming, `npm run soak -- --minutes 10`. What is held must not grow.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startLoad } from '../test/faults/process.js'

/** The heap of the process with nothing to do; measured in each run, before Segment goes. */
const IDLE_MS = 2_000
const MAX_GROWTH_MB = 100

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '1000' } },
})
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const nowhere = 'http://127.0.0.1:9'
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const directory = mkdtempSync(join(tmpdir(), 'soak-'))
try {
  const idle = await heapOf(1, IDLE_MS)
  const results = await Promise.all([
    heapOf(rate, minutes * 60_000),
    heapOf(rate, minutes * 60_000, directory),
  ])
  for (const [index, { peakMb, made }] of results.entries()) {
    const growth = peakMb - idle.peakMb
    const kind = index === 0 ? 'in memory' : 'with the outbox'
    console.log(
      `${kind}: ${made} calls in ${minutes} min, Segment away; heap at most ${growth} MB over the idle process`,
    )
    if (growth > MAX_GROWTH_MB) process.exitCode = 1
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function heapOf(rate: number, ms: number, outbox?: string): Promise<{ peakMb: number; made: number }> {
  const load = await startLoad({ segment: nowhere, rate, shutdownMs: 2_000, ...(outbox && { outbox }) })
  await sleep(ms)
  await load.stop()
  if (!load.end) throw new Error('the process did not end by itself')
  const { made, delivered, pending, failed } = load.end.stats.calls
  const given = Object.values(failed).reduce((all, count) => all + count, 0)
  if (made !== delivered + pending + given) throw new Error('the books do not balance')
  return { peakMb: load.end.peakMb, made }
}
