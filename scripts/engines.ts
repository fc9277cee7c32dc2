// The tests that need a Redis, and the fleet suite, with each server that is given: `npm run test:engines -- FILE...`, where
// each file is a redis-server or valkey-server.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRecord } from '../src/model/values.js'
import { root } from './entries.js'

const SUITES = ['test/redis', 'test/relay', 'test/commands']

const servers = process.argv.slice(2)
const missing = servers.filter((file) => !existsSync(file))
if (servers.length === 0 || missing.length > 0) {
  const given = missing.length > 0 ? `no file ${missing.join(', ')}` : 'nothing'
  console.error(`test:engines was given ${given}: expected paths of redis-server or valkey-server`)
  process.exit(1)
}

const results = servers.map((file) => {
  const server = nameOf(file)
  console.log(`\n== ${server}`)
  return { server, tests: testsWith(file), fleet: fleetWith(file) }
})
console.log('\n| server | tests | fleet |\n|---|---|---|')
for (const { server, tests, fleet } of results) console.log(`| ${server} | ${tests.said} | ${fleet.said} |`)
process.exitCode = results.every(({ tests, fleet }) => tests.hasPassed && fleet.hasPassed) ? 0 : 1

/** What a suite has come to. */
interface Outcome {
  readonly hasPassed: boolean
  readonly said: string
}

/** Its name and version, such as `Redis server v=7.0.15`; Valkey 7.2 leaves the name out. */
function nameOf(file: string): string {
  const said = execFileSync(file, ['--version'], { encoding: 'utf8' })
  const [, name = '', version = said.trim()] = /^(\w*) ?[Ss]erver v=(\S+)/.exec(said) ?? []
  return `${name || 'Valkey'} ${version}`
}

function testsWith(file: string): Outcome {
  const directory = mkdtempSync(join(tmpdir(), 'reqtrack-engines-'))
  const report = join(directory, 'tests.json')
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { status } = spawnSync(process.execPath, [vitest, 'run', ...SUITES, ...reporters], of(file))
    const read: unknown = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
    const { numPassedTests, numFailedTests } = isRecord(read) ? read : {}
    return { hasPassed: status === 0, said: `${numPassedTests ?? 0} passed, ${numFailedTests ?? '?'} failed` }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function fleetWith(file: string): Outcome {
  const hasPassed = spawnSync('npm', ['run', 'test:fleet'], of(file)).status === 0
  return { hasPassed, said: hasPassed ? 'as promised' : 'FAILED' }
}

function of(file: string) {
  return { cwd: root, stdio: 'inherit', env: { ...process.env, REDIS_SERVER_PATH: file } } as const
}
