import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './entries.js'
import { findRuntime, RUNTIME_NAMES, type Runtime, type RuntimeCommand } from './runtime-binary.js'

// Holds web-standard handlers and Hono to the promises on Node, Bun and Deno, with the packed package:
// `tsx scripts/runtimes.ts --only bun,deno` chooses.

const NAMES: readonly string[] = ['node', ...RUNTIME_NAMES]
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = values.only?.split(',') ?? NAMES
const unknown = chosen.filter((name) => !NAMES.includes(name))
if (unknown.length > 0) {
  console.error(`--only was given ${unknown.join(', ')}: expected some of ${NAMES.join(',')}`)
  process.exit(1)
}
if (!existsSync(join(root, 'dist/index.js'))) {
  console.error('There is no dist: npm run build makes it.')
  process.exit(1)
}

const project = mkdtempSync(join(tmpdir(), 'reqtrack-runtimes-'))
try {
  prepare()
  const results = chosen.map(drive)
  process.exitCode = results.every(Boolean) ? 0 : 1
} finally {
  rmSync(project, { recursive: true, force: true })
}

/** Installs what would be published into an empty project, as users do. */
function prepare(): void {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  cpSync(join(root, 'test/consumers/web'), join(project, 'web'), { recursive: true })
  const packed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root)
  const [{ filename }]: [{ filename: string }] = JSON.parse(packed)
  const frameworks = ['hono', '@hono/node-server'].map((name) => `${name}@${installedVersion(name)}`)
  npm(
    ['install', '--prefer-offline', '--no-audit', '--no-fund', join(project, filename), ...frameworks],
    project,
  )
}

/** @returns Whether all is well; a runtime that cannot be had here is no failure. */
function drive(name: string): boolean {
  const command = commandOf(name)
  if (!command) return true
  console.log(`\n== ${command.version}`)
  const { status } = spawnSync(process.execPath, ['web/drive.mjs', command.binary, ...command.parameters], {
    cwd: project,
    stdio: 'inherit',
  })
  return status === 0
}

function commandOf(name: string): RuntimeCommand | undefined {
  if (isRuntime(name)) return findRuntime(name)
  return { binary: process.execPath, parameters: [], version: `node ${process.version}` }
}

function isRuntime(name: string): name is Runtime {
  return RUNTIME_NAMES.some((each) => each === name)
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
}

function installedVersion(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}
