// The fault suite: `npm run test:faults`. With --long the cases that take minutes, too; with --only those with so much
// in their name; with --write the tables in docs/evidence.md are made anew, those of the long cases only with --long.
import { parseArgs } from 'node:util'
import { bundle } from '../bench/bundle.js'
import type { Result } from '../test/faults/balance.js'
import { cases } from '../test/faults/cases.js'
import { runCase } from '../test/faults/run-case.js'
import type { Case, Ending } from '../test/faults/stage.js'
import { writeMeasured } from './measured.js'

const AT_ONCE = 5
const ENDINGS: readonly Ending[] = ['after', 'during']

interface Plan {
  readonly which: Case
  readonly ending: Ending
  readonly withOutbox: boolean
}

const { values } = parseArgs({
  options: { long: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
})
const planned = cases
  .filter(({ name, isLong }) => (values.only ? name.includes(values.only) : !isLong || values.long))
  .flatMap((which) =>
    ENDINGS.filter((ending) => !which.endings || which.endings.includes(ending)).flatMap((ending) =>
      (which.needsOutbox ? [true] : [false, true]).map((withOutbox): Plan => ({ which, ending, withOutbox })),
    ),
  )

const { load: file } = await bundle({ load: '../test/faults/load.ts' }, 'faults')
const results: (Result | undefined)[] = planned.map(() => undefined)
let failed = 0
let leftOut = 0
// The longest first, so that they do not end alone.
const waiting = [...planned.entries()].sort(
  ([, one], [, other]) => Number(other.which.isLong ?? false) - Number(one.which.isLong ?? false),
)
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, plan] = next
      results[index] = await run(plan)
    }
  }),
)
const done = results.filter((result) => result !== undefined)
const isLong = ({ name }: Result) => cases.some((each) => each.name === name && each.isLong)
if (values.write && (values.only || done.length < planned.length)) {
  console.error('docs/evidence.md is left as it is: not every case has run')
} else if (values.write) {
  const normal = done.filter((result) => !isLong(result))
  const command = 'npm run test:faults -- --write'
  writeMeasured('evidence.md', command, tableOf(normal.filter(({ ending }) => ending === 'after')))
  writeMeasured(
    'evidence.md',
    `${command}, SIGTERM`,
    endTableOf(normal.filter(({ ending }) => ending === 'during')),
  )
  if (values.long)
    writeMeasured('evidence.md', 'npm run test:faults -- --long --write', tableOf(done.filter(isLong)))
}
console.log(`${planned.length - failed - leftOut} passed, ${failed} failed, ${leftOut} left out`)
process.exitCode = failed > 0 ? 1 : 0

async function run({ which, ending, withOutbox }: Plan): Promise<Result | undefined> {
  const title = `${which.name}, ${withOutbox ? 'with' : 'without'} an outbox${ending === 'during' ? ', SIGTERM in it' : ''}`
  try {
    const result = await runCase(which, { ending, withOutbox, file })
    if (typeof result === 'string') {
      leftOut++
      console.log(`left out: ${title}: ${result}`)
      return undefined
    }
    console.log(ending === 'during' ? endRowOf(result) : rowOf(result))
    if (result.problems.length > 0) failed++
    for (const problem of result.problems) console.error(`NOT AS PROMISED: ${title}: ${problem}`)
    return result
  } catch (error) {
    failed++
    console.error(`NOT RUN: ${title}:`, error)
    return undefined
  }
}

function tableOf(rows: readonly Result[]): string {
  const head = [
    '| fault | outbox | calls | arrived | of them twice | given up | heap, MB | lost |',
    '|---|---|---|---|---|---|---|---|',
  ]
  return [...head, ...rows.map(rowOf)].join('\n')
}

function rowOf(result: Result): string {
  const { name, outbox, tracked, arrived, twice, heapMb, lost } = result
  return `| ${[name, outbox ? 'yes' : 'no', tracked, arrived, twice, givenUp(result), heapMb || '–', lost].join(' | ')} |`
}

function endTableOf(rows: readonly Result[]): string {
  const head = [
    '| SIGTERM during | outbox | calls | kept for the next process | arrived | given up | exit codes | lost |',
    '|---|---|---|---|---|---|---|---|',
  ]
  return [...head, ...rows.map(endRowOf)].join('\n')
}

function endRowOf(result: Result): string {
  const { name, outbox, tracked, arrived, kept, exitCodes, lost } = result
  const cells = [
    name,
    outbox ? 'yes' : 'no',
    tracked,
    kept,
    arrived,
    givenUp(result),
    exitCodes.join(', '),
    lost,
  ]
  return `| ${cells.join(' | ')} |`
}

function givenUp({ failed, uncommitted: { all, most, oldestMs } }: Result): string {
  const reasons = Object.entries(failed).map(([reason, count]) => `${count} ${reason}`)
  if (all > 0) {
    reasons.push(
      `${all} killed before the commit (at most ${most} at a kill, the oldest made ${oldestMs} ms before)`,
    )
  }
  return reasons.join(', ') || '–'
}
