import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { consumers, write } from '../consumer-project.js'
import { root } from '../entries.js'
import { node } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { link, tool } from './tools.js'

interface Runner {
  readonly name: string
  readonly version?: string
  /** A file or a folder of `test/consumers/runners/tests`. */
  readonly test: string
  readonly what?: string
  readonly isQuick?: boolean
  readonly limit?: Cell['limit']
  /** Files of the project besides. */
  readonly files?: Readonly<Record<string, object>>
  /** The arguments for Node, of which the runner's file comes first. */
  readonly args: (modules: string) => readonly string[]
}

const TIMEOUT_MS = 600_000
/** Of one test, on a busy machine. */
const TEST_TIMEOUT_MS = 120_000
const WHAT = 'an Express application, recorded and delivered to a local endpoint'

const JEST = {
  testEnvironment: 'node',
  testMatch: ['**/jest.test.js'],
  testTimeout: TEST_TIMEOUT_MS,
  transform: {},
}
const jest = (modules: string) => [join(modules, 'jest/bin/jest.js'), '--ci']
const mocha = (modules: string, test: string) => [
  join(modules, 'mocha/bin/mocha.js'),
  '--check-leaks',
  `--timeout=${TEST_TIMEOUT_MS}`,
  test,
]
/** For Jest before 28, which does not know `exports`: as the documentation has it. */
const EXPORTS: object = JSON.parse(blockOf('troubleshooting.md', 'moduleNameMapper'))

const RUNNERS: readonly Runner[] = [
  ...['30.5.2', '29.7.0', '28.1.3'].map((version, index) => ({
    name: 'Jest',
    version,
    test: 'jest.test.js',
    isQuick: index === 0,
    files: { 'jest.config.json': JEST },
    args: jest,
  })),
  {
    name: 'Jest',
    version: '27.5.1',
    test: 'jest.test.js',
    what: `${WHAT}, with the doors mapped as [Troubleshooting](troubleshooting.md#it-does-not-start-or-not-compile) says`,
    files: { 'jest.config.json': { ...JEST, ...EXPORTS } },
    args: jest,
  },
  {
    name: 'Jest',
    version: '27.5.1',
    test: 'jest.test.js',
    limit: {
      says: /Cannot find module 'reqtrack\/express'/,
      note: "does not know `exports`: `Cannot find module 'reqtrack/express'`",
    },
    files: { 'jest.config.json': JEST },
    args: jest,
  },
  {
    name: 'Jest',
    version: '26.6.3',
    test: 'jest.test.js',
    limit: {
      says: /Cannot find module 'node:|no such file or directory, open 'node:/,
      note: "does not know Node's modules by their full names: `no such file or directory, open 'node:…'`",
    },
    files: { 'jest.config.json': { ...JEST, ...EXPORTS } },
    args: jest,
  },
  {
    name: 'Jest',
    version: '30.5.2',
    test: 'jest-unended',
    what: 'an Express application that still delivers when its test is over: nothing is loaded then',
    isQuick: true,
    files: { 'jest.config.json': { ...JEST, testMatch: ['**/*.test.js'] } },
    args: (modules) => [...jest(modules), '--runInBand'],
  },
  {
    name: 'Mocha',
    version: '12.0.3',
    test: 'mocha.test.cjs',
    what: `${WHAT}, with \`--check-leaks\``,
    isQuick: true,
    args: (modules) => mocha(modules, 'mocha.test.cjs'),
  },
  {
    name: 'Mocha',
    version: '12.0.3',
    test: 'mocha-late.test.cjs',
    what: `${WHAT}, with \`--check-leaks\`, where a test is the first to load it`,
    isQuick: true,
    args: (modules) => mocha(modules, 'mocha-late.test.cjs'),
  },
  {
    name: 'node:test',
    test: 'node.test.mjs',
    isQuick: true,
    args: () => ['--test', 'node.test.mjs'],
  },
  ...['4.1.12', '3.2.4'].map((version, index) => ({
    name: 'Vitest',
    version,
    test: 'vitest.test.mjs',
    isQuick: index === 0,
    args: (modules: string) => [
      join(modules, 'vitest/vitest.mjs'),
      'run',
      `--testTimeout=${TEST_TIMEOUT_MS}`,
    ],
  })),
  {
    name: 'tap',
    version: '21.8.0',
    test: 'tap.test.mjs',
    args: () => ['tap.test.mjs'],
  },
]

export const runners: readonly Cell[] = RUNNERS.map((runner) => ({
  area: 'Test runners',
  name: runner.version === undefined ? `\`${runner.name}\`` : `${runner.name} ${runner.version}`,
  what: runner.what ?? WHAT,
  isQuick: runner.isQuick === true,
  ...(runner.limit && { limit: runner.limit }),
  run: (stage) => test(runner, stage),
}))

async function test({ name, version, test, files = {}, args }: Runner, stage: Stage): Promise<void> {
  const folder = stage.folder(name, 'commonjs')
  cpSync(join(consumers, 'runners/tests', test), join(folder, test), { recursive: true })
  for (const [file, content] of Object.entries(files)) write(folder, file, JSON.stringify(content))
  let modules = ''
  if (version !== undefined) {
    const command = name.toLowerCase()
    modules = await tool(`${command}@${version}`)
    link(folder, modules, command)
  }
  await node(args(modules), folder, { timeout: TIMEOUT_MS })
}

/** @returns The JSON of a page's block that has a key. */
function blockOf(page: string, key: string): string {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  const blocks = [...text.matchAll(/^```json\n(.*?)^```/gms)].map(([, block = '']) => block)
  const found = blocks.find((block) => block.includes(`"${key}"`))
  if (found === undefined) throw new Error(`docs/${page} has no block of JSON with ${key}`)
  return found
}
