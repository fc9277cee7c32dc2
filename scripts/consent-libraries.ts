// Holds the readers of consent to the libraries that write what they read: `npm run test:consent-libraries`.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { libraries } from '../test/consent-libraries/libraries.js'
import type { Library, State } from '../test/consent-libraries/library.js'
import { install, placeOf } from '../test/consent-libraries/packages.js'
import { openStage } from '../test/consent-libraries/stage.js'
import { partMeasured, writeMeasured } from './measured.js'

const PAGE = 'consent-managers.md'
const COMMAND = 'npm run test:consent-libraries -- --write'

/** Most of a state is waiting for the browser. */
const AT_ONCE = 4

const { values } = parseArgs({
  options: { latest: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
})
const chosen = libraries.filter(({ packages: [own] }) => !values.only || placeOf(own).includes(values.only))
const installed = install(libraries, values.latest === true)
const stage = await openStage(installed)
let failed = 0
try {
  const waiting = chosen.flatMap((library) => library.states.map((state) => ({ library, state })))
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        if (!(await holds(next.library, next.state))) failed++
      }
    }),
  )
} finally {
  await stage.close()
}
const states = chosen.reduce((count, library) => count + library.states.length, 0)
console.log(`${chosen.length} libraries, ${states} states: ${failed} read otherwise than expected`)
if (values.write && failed === 0 && !values.latest && !values.only) writeMeasured(PAGE, COMMAND, table())
else if (!values.latest && partMeasured(PAGE, COMMAND) !== table()) {
  console.error(`docs/${PAGE} is behind: run ${COMMAND}`)
  failed++
}
process.exitCode = failed === 0 ? 0 : 1

async function holds(library: Library, state: State): Promise<boolean> {
  const name = `${placeOf(library.packages[0])} ${installed.versionOf(library.packages[0])}, ${state.name}`
  try {
    const { header, expected, read } = await stage.play(library, state)
    if (isDeepStrictEqual(read, expected)) {
      console.log(`ok   ${name}`)
      return true
    }
    console.error(
      `FAIL ${name}: ${library.reads} read ${show(read)}, expected ${show(expected)}, of ${header}`,
    )
  } catch (error) {
    console.error(`FAIL ${name}: ${error instanceof Error ? error.message.split('\n', 1) : String(error)}`)
  }
  return false
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

/** What is held to what, for the documentation. */
function table(): string {
  const rows = libraries.map(({ packages: [own], reads, states }) => {
    const names = states.map(({ name }) => name).join('; ')
    return `| \`${own.name}\` ${own.version} | \`${reads}\` | ${names} |`
  })
  return ['| library | reader | states |', '|---|---|---|', ...rows].join('\n')
}
