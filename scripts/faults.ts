// The fault suite: `npm run test:faults`. With --long the cases that take minutes, too; with --write the table in
// docs/delivery.md is made anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Result, runCase } from '../test/faults/balance.js'
import { cases } from '../test/faults/cases.js'
import { root } from './entries.js'

const AT_ONCE = 3
const BEGIN = '<!-- begin: made by npm run test:faults -- --write -->'
const END = '<!-- end -->'

const { values } = parseArgs({
  options: { long: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
})
const planned = cases
  .filter(({ name, isLong }) => (values.only ? name.includes(values.only) : !isLong || values.long))
  .flatMap((each) =>
    each.needsOutbox
      ? [{ each, outbox: true }]
      : [
          { each, outbox: false },
          { each, outbox: true },
        ],
  )

const results: (Result | undefined)[] = planned.map(() => undefined)
let next = 0
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let index = next++; index < planned.length; index = next++) {
      const plan = planned[index]
      if (!plan) return
      const result = await runCase(plan.each, plan.outbox)
      results[index] = result
      console.log(rowOf(result))
    }
  }),
)

const done = results.filter((result) => result !== undefined)
const broken = done.filter((result) => {
  const allowed = cases.find(({ name }) => name === result.name)?.mayLose
  const reasons = Object.keys(result.failed).filter((reason) => reason !== 'rejected')
  const isUnexpected = reasons.some((reason) => reason !== allowed) || (result.outbox && reasons.length > 0)
  return result.lost > 0 || !result.balances || isUnexpected
})
if (values.write) write(done)
for (const result of broken)
  console.error(`NOT AS PROMISED: ${rowOf(result)}${result.balances ? '' : ' (the books do not balance)'}`)
process.exitCode = broken.length > 0 ? 1 : 0

function rowOf({ name, outbox, tracked, arrived, twice, failed, uncommitted, lost, heapMb }: Result): string {
  const reasons = Object.entries(failed).map(([reason, count]) => `${count} ${reason}`)
  if (uncommitted > 0) reasons.push(`${uncommitted} killed before the commit`)
  const cells = [
    name,
    outbox ? 'yes' : 'no',
    tracked,
    arrived,
    twice,
    reasons.join(', ') || '–',
    heapMb || '–',
    lost,
  ]
  return `| ${cells.join(' | ')} |`
}

function write(rows: readonly Result[]): void {
  const file = join(root, 'docs', 'delivery.md')
  const text = readFileSync(file, 'utf8')
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END, begin)
  if (begin < 0 || end < 0)
    throw new Error(`docs/delivery.md has no place for the table: ${BEGIN} and ${END}`)
  const table = [
    '| fault | outbox | calls | arrived | of them twice | given up | heap, MB | lost |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(rowOf),
  ]
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n${table.join('\n')}\n${text.slice(end)}`)
}
