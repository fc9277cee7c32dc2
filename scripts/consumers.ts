// Uses the packed package as its users do, on what they have: `npm run test:consumers`, and `-- --full` for all of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundlers } from './consumers/bundlers.js'
import { AREAS, type Cell, type Stage } from './consumers/cell.js'
import { compilers } from './consumers/compilers.js'
import { frameworks } from './consumers/frameworks.js'
import { managers } from './consumers/managers.js'
import { runners } from './consumers/runners.js'
import { runtimes } from './consumers/runtimes.js'
import { openStage } from './consumers/stage.js'
import { PlatformError } from './consumers/tools.js'
import { root } from './entries.js'
import { partMeasured, writeMeasured } from './measured.js'
import { run } from './run-command.js'

const PAGE = 'compatibility.md'
const COMMAND = 'npm run test:consumers -- --full --write'
/** Most of a cell is waiting for processes. */
const AT_ONCE = 2
const BUILD_TIMEOUT_MS = 900_000

const { values } = parseArgs({
  options: { full: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
})
// What takes longest comes last.
const cells = [...runners, ...bundlers, ...managers, ...runtimes, ...frameworks, ...compilers]
const chosen = cells.filter(({ area, name, isQuick }) =>
  values.only
    ? `${area} ${name}`.toLowerCase().includes(values.only.toLowerCase())
    : values.full || isQuick === true,
)
const started = performance.now()
const work = mkdtempSync(join(tmpdir(), 'reqtrack-consumers-'))
let failed = 0
let leftOut = 0
try {
  await run('npm', ['run', 'build'], root, { timeout: BUILD_TIMEOUT_MS })
  const stage = await openStage(work, values.full === true)
  const waiting = [...chosen]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await holds(next, stage))) failed++
    }),
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (values.write && values.full && !values.only && failed + leftOut === 0)
  writeMeasured(PAGE, COMMAND, tables())
else if (partMeasured(PAGE, COMMAND) !== tables()) {
  console.error(`docs/${PAGE} is behind: run ${COMMAND}`)
  failed++
}
console.log(
  `${chosen.length} of ${cells.length} consumers, ${failed} failed, ${leftOut} left out (${seconds(started)})`,
)
process.exitCode = failed === 0 ? 0 : 1

async function holds(cell: Cell, stage: Stage): Promise<boolean> {
  const from = performance.now()
  const problem = await problemOf(cell, stage)
  const name = `${cell.area}: ${cell.name}${cell.limit ? ', which does not work' : ''}`
  const isLeftOut = problem instanceof PlatformError
  if (isLeftOut) leftOut++
  console.log(`${problem ? (isLeftOut ? 'left out' : 'FAIL') : 'ok  '}  ${name} (${seconds(from)})`)
  if (problem) console.log(problem.message)
  return problem === undefined || isLeftOut
}

/** @returns What is otherwise than the table says. */
async function problemOf({ limit, run }: Cell, stage: Stage): Promise<Error | undefined> {
  try {
    await run(stage)
    return limit && new Error(`it works now: expected ${limit.says}`)
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(String(error))
    return limit?.says.test(problem.message) ? undefined : problem
  }
}

/** What was run, for the documentation. */
function tables(): string {
  return AREAS.map((area) => {
    const rows = cells
      .filter((cell) => cell.area === area)
      .map(({ name, what, limit }) => `| ${name} | ${limit ? `**no**: ${limit.note}` : what} |`)
    return [`### ${area}`, '', '| with | what was run |', '|---|---|', ...rows].join('\n')
  }).join('\n\n')
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`
}
