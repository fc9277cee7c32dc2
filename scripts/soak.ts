// The soak: Segment is away and events keep coming, `npm run soak -- --minutes 10`. What is held must not grow. With
// --write its figures in docs/evidence.md are made anew.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from '../bench/bundle.js'
import type { LoadEnd } from '../test/faults/load.js'
import { startLoad } from '../test/faults/process.js'
import { writeMeasured } from './measured.js'

const IDLE_MS = 2_000
const MAX_GROWTH_MB = 100

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    write: { type: 'boolean' },
  },
})
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const nowhere = 'http://127.0.0.1:9'
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const { load: file } = await bundle({ load: '../test/faults/load.ts' }, 'soak')
const directory = mkdtempSync(join(tmpdir(), 'soak-'))
try {
  const idle = await endOf(1, IDLE_MS)
  const ends = await Promise.all([endOf(rate, minutes * 60_000), endOf(rate, minutes * 60_000, directory)])
  const rows = ends.map((end, index) => {
    const growth = end.peakMb - idle.peakMb
    if (growth > MAX_GROWTH_MB) process.exitCode = 1
    const { made, failed } = end.stats.calls
    return `| ${[index === 0 ? 'in memory' : 'with the outbox', minutes, made, failed.overflow, growth].join(' | ')} |`
  })
  const table = [
    `| ${rate} events a second | minutes | calls | of them refused: overflow | heap over the idle process, MB |`,
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
  console.log(table)
  if (values.write) writeMeasured('evidence.md', 'npm run soak -- --write', table)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function endOf(rate: number, ms: number, outbox?: string): Promise<LoadEnd> {
  const load = await startLoad(
    { segment: nowhere, rate, shutdownMs: 2_000, ...(outbox && { outbox }) },
    { file },
  )
  await sleep(ms)
  await load.stop()
  if (!load.end) throw new Error('the process did not end by itself')
  const { made, delivered, pending, failed } = load.end.stats.calls
  const given = Object.values(failed).reduce((all, count) => all + count, 0)
  if (made !== delivered + pending + given) throw new Error('the books do not balance')
  return load.end
}
