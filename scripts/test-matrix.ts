import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './entries.js'
import { nodeBinary, SUPPORTED_NODES } from './node-binary.js'

// Runs what depends on the version of Node under each that is supported: the ends of requests, the ambient context and
// the shutdown. The binaries come from npm: `npm run test:matrix -- --node 20,24` chooses, other arguments choose tests.

const SUITES = ['test/matrix', 'test/context', 'test/shutdown', 'test/frameworks']

const { values, positionals } = parseArgs({ options: { node: { type: 'string' } }, allowPositionals: true })
const versions = values.node?.split(',') ?? SUPPORTED_NODES
const unknown = versions.filter((version) => !SUPPORTED_NODES.includes(version))
if (unknown.length > 0) {
  console.error(`--node was given ${unknown.join(', ')}: expected some of ${SUPPORTED_NODES.join(',')}`)
  process.exit(1)
}

const suites = positionals.length > 0 ? positionals : SUITES.filter((suite) => existsSync(join(root, suite)))
const results = versions.map((version) => ({ version, passed: passes(nodeBinary(version), suites) }))
for (const { version, passed } of results) console.log(`Node ${version}: ${passed ? 'passed' : 'FAILED'}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1

function passes(node: string, suites: readonly string[]): boolean {
  console.log(`\n== ${node} ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  return spawnSync(node, [vitest, 'run', ...suites], { cwd: root, stdio: 'inherit' }).status === 0
}
