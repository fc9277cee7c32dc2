// The fleet suite: `npm run test:fleet`. A few random instants of each kind; with --full a hundred. With --only the cases
// with so much in their name; with --write the table in docs/fleet.md is made anew.
import { parseArgs } from 'node:util'
import { bundle } from '../bench/bundle.js'
import type { FleetResult } from '../test/fleet/balance.js'
import { cases } from '../test/fleet/cases.js'
import { type PeopleResult, peopleCases, runPeopleCase } from '../test/fleet/people.js'
import { runFleetCase } from '../test/fleet/run-case.js'
import { ensureRedis } from './ensure-redis.js'
import { writeMeasured } from './measured.js'

const AT_ONCE = 3
const FEW = 3
const MANY = 100

const { values } = parseArgs({
  options: { full: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
})
ensureRedis()
const planned = cases.filter(({ name }) => name.includes(values.only ?? ''))
const files = await bundle(
  { load: '../test/faults/load.ts', relay: '../test/fleet/relay.ts', visits: '../test/fleet/visits.ts' },
  'fleet',
)
const results: (FleetResult | undefined)[] = planned.map(() => undefined)
const waiting = [...planned.entries()]
let failed = 0
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, which] = next
      try {
        const result = await runFleetCase(which, values.full ? MANY : FEW, files)
        results[index] = result
        console.log(rowOf(result))
        if (result.problems.length > 0) failed++
        for (const problem of result.problems) console.error(`NOT AS PROMISED: ${which.name}: ${problem}`)
      } catch (error) {
        failed++
        console.error(`NOT RUN: ${which.name}:`, error)
      }
    }
  }),
)
const remembered: PeopleResult[] = []
for (const which of peopleCases.filter(({ name }) => name.includes(values.only ?? ''))) {
  try {
    const result = await runPeopleCase(which, files.visits)
    const { name, problems } = result
    remembered.push(result)
    console.log(peopleRowOf(result))
    if (problems.length > 0) failed++
    for (const problem of problems) console.error(`NOT AS PROMISED: ${name}: ${problem}`)
  } catch (error) {
    failed++
    console.error(`NOT RUN: ${which.name}:`, error)
  }
}
const done = results.filter((result) => result !== undefined)
if (values.write && done.length + remembered.length < cases.length + peopleCases.length)
  console.error('docs/fleet.md is left as it is: not every case has run')
else if (values.write) writeMeasured('fleet.md', 'npm run test:fleet -- --write', tablesOf(done, remembered))
console.log(`${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function tablesOf(rows: readonly FleetResult[], people: readonly PeopleResult[]): string {
  const head = [
    '| fault | processes | calls | arrived | of them twice | killed before they were written | given up | lost | promised |',
    '|---|---|---|---|---|---|---|---|---|',
  ]
  const headOfPeople = ['| 1,000 people in four processes | events | identifies |', '|---|---|---|']
  return [...head, ...rows.map(rowOf), '', ...headOfPeople, ...people.map(peopleRowOf)].join('\n')
}

function peopleRowOf({ name, events, identifies }: PeopleResult): string {
  return `| ${name} | ${events} | ${identifies} |`
}

function rowOf({
  name,
  processes,
  made,
  arrived,
  twice,
  uncommitted,
  givenUp,
  lost,
  mayLose,
  repeatsNothing,
}: FleetResult): string {
  const reasons = Object.entries(givenUp).map(([reason, count]) => `${count} ${reason}`)
  const promised = mayLose ? 'what Redis loses, estimated' : repeatsNothing ? '0 lost, 0 twice' : '0 lost'
  const cells = [
    name,
    processes,
    made,
    arrived,
    twice,
    uncommitted,
    reasons.join(', ') || '–',
    lost,
    promised,
  ]
  return `| ${cells.join(' | ')} |`
}
