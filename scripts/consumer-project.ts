import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './entries.js'
import { run } from './run-command.js'

/** The applications that use the packed package. */
export const consumers = join(root, 'test/consumers')

/** Of the frameworks' entries, only Nest's needs its framework when it is loaded. */
export const NEST = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs']

const INSTALL_TIMEOUT_MS = 600_000

/** Installs the tarball and what it is used with: in the versions that the repository has, unless one is named. */
export async function install(project: string, tarball: string, packages: readonly string[]): Promise<void> {
  const pinned = packages.map((name) => (/.@/.test(name) ? name : `${name}@${installedVersion(name)}`))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...pinned], project, {
    timeout: INSTALL_TIMEOUT_MS,
  })
}

/** @returns The version that the repository has of a package. */
export function installedVersion(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** Writes a file of a project. */
export function write(project: string, file: string, text: string): void {
  const path = join(project, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** Copies some of the applications into a project. */
export function copy(project: string, ...names: readonly string[]): void {
  for (const name of names) cpSync(join(consumers, name), join(project, name), { recursive: true })
}
