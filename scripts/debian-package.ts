import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Milliseconds for `apt-get`: a machine without a network would try for longer. */
const TIMEOUT_MS = 300_000

/** @returns The first program on the `PATH` that has one of the names. */
export function findOnPath(names: readonly string[]): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter)
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((file) => existsSync(file))
}

/**
 * Installs a package on Debian and its like, where that is allowed: as root.
 *
 * @returns Whether it was tried; a failure has printed why.
 */
export function installDebianPackage(name: string): boolean {
  if (process.getuid?.() !== 0 || !findOnPath(['apt-get'])) return false
  console.log(`${name} is missing and is being installed.`)
  const options = {
    stdio: 'inherit',
    timeout: TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const
  try {
    execFileSync('apt-get', ['update', '-qq'], options)
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], options)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  return true
}
