import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from '../entries.js'
import { run } from '../run-command.js'

/** Where tools are installed that the repository has no other use for: once each, and out of git's sight. */
const CACHE = join(root, 'node_modules/.cache/consumers')
const INSTALL_TIMEOUT_MS = 600_000
const installed = new Map<string, Promise<string>>()

/** A tool of which there is none for this platform. */
export class PlatformError extends Error {}

/**
 * Installs packages together into a directory of their own, unless they are there.
 *
 * @param packages - Each with its exact version, such as `esbuild@0.28.2`.
 * @returns Their `node_modules`.
 * @throws PlatformError where there is none for this platform.
 * @throws If npm cannot install them, with what to do about it.
 */
export function tool(...packages: readonly string[]): Promise<string> {
  const name = packages.join('+').replaceAll('/', '-')
  const under = installed.get(name) ?? install(name, packages)
  installed.set(name, under)
  return under
}

/** Lets a folder find installed packages by their names. */
export function link(folder: string, modules: string, ...names: readonly string[]): void {
  for (const name of names) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(place)) continue
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(modules, name), place, 'junction')
  }
}

async function install(name: string, packages: readonly string[]): Promise<string> {
  const directory = join(CACHE, name)
  const done = join(directory, 'installed')
  const modules = join(directory, 'node_modules')
  if (existsSync(done)) return modules
  console.log(`      installs ${packages.join(', ')} into ${relative(root, directory)}`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  try {
    const options = ['--prefer-offline', '--legacy-peer-deps', '--no-audit', '--no-fund']
    await run('npm', ['install', ...options, ...packages], directory, { timeout: INSTALL_TIMEOUT_MS })
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    if (said.includes('EBADPLATFORM'))
      throw new PlatformError(`${packages.join(', ')}: not for this platform`)
    throw new Error(
      `npm could not install ${packages.join(', ')}. They come from the registry once, and from npm's own cache after ` +
        'that: run this with a network, or with a registry that has them (npm_config_registry), or leave them out ' +
        `(--only).\n${said}`,
    )
  }
  writeFileSync(done, '')
  return modules
}
