import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './entries.js'

// Runs what depends on the version of Node under each that is supported: the ends of requests, the ambient context and
// the shutdown. The binaries come from npm: `npm run test:matrix -- --node 20,24` chooses, other arguments choose tests.

const SUPPORTED = ['20', '22', '24', '26']
const SUITES = ['test/matrix', 'test/context', 'test/shutdown', 'test/frameworks']

const { values, positionals } = parseArgs({ options: { node: { type: 'string' } }, allowPositionals: true })
const versions = values.node?.split(',') ?? SUPPORTED
const unknown = versions.filter((version) => !SUPPORTED.includes(version))
if (unknown.length > 0) {
  console.error(`--node was given ${unknown.join(', ')}: expected some of ${SUPPORTED.join(',')}`)
  process.exit(1)
}

const suites = positionals.length > 0 ? positionals : SUITES.filter((suite) => existsSync(join(root, suite)))
const results = versions.map((version) => ({ version, passed: passes(nodeOf(version), suites) }))
for (const { version, passed } of results) console.log(`Node ${version}: ${passed ? 'passed' : 'FAILED'}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1

function passes(node: string, suites: readonly string[]): boolean {
  console.log(`\n== ${node} ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  return spawnSync(node, [vitest, 'run', ...suites], { cwd: root, stdio: 'inherit' }).status === 0
}

/** @returns The binary of a major version, installed where it is not there yet. */
function nodeOf(version: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  const directory = join(root, 'node_modules/.cache/node', version)
  const binary = join(directory, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    execFileSync(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', directory, `${name}@${version}`],
      { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' },
    )
  }
  return binary
}
