import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isRecord } from '../../model/values.js'
import type { Finding } from './report.js'

/** Packages of which two copies do not know each other. */
const ONCE = ['reqtrack', '@segment/analytics-node', '@walkeros/core']
/** More folders than an application has; what lies beyond is not looked at. */
const MOST_FOLDERS = 20_000

/** A copy of a package below a folder. */
interface Copy {
  readonly folder: string
  readonly version: string
}

/** Looks for the packages that should be there once, in `node_modules` of a folder and below it. */
export function checkPackages(directory: string): Finding {
  const copies = new Map<string, Copy[]>(ONCE.map((name) => [name, []]))
  collect(join(directory, 'node_modules'), copies)
  const lines = [...copies].map(([name, found]) => lineOf(name, found, directory))
  const isTwice = [...copies.values()].some((found) => found.length > 1)
  const isThere = [...copies.values()].some((found) => found.length > 0)
  if (!isThere)
    return { state: 'unknown', about: 'packages', lines: [`no node_modules with them in ${directory}`] }
  if (!isTwice) return { state: 'ok', about: 'packages', lines }
  const advice =
    'Two copies do not know each other: run npm dedupe, or have all that need them ask for one version.'
  return { state: 'wrong', about: 'packages', lines: [...lines, advice] }
}

function lineOf(name: string, found: readonly Copy[], directory: string): string {
  if (found.length === 0) return `${name}: not installed`
  if (found.length === 1) return `${name} ${found[0]?.version}`
  const places = found.map(({ folder, version }) => `${version} in ${relative(directory, folder)}`)
  return `${name}: ${found.length} copies: ${places.join(', ')}`
}

/** Goes through `node_modules`, those of packages in it, and pnpm's store. */
function collect(first: string, copies: ReadonlyMap<string, Copy[]>): void {
  const folders = [first]
  let left = MOST_FOLDERS
  for (let modules = folders.pop(); modules !== undefined && left-- > 0; modules = folders.pop()) {
    for (const name of packagesIn(modules)) {
      const folder = join(modules, name)
      const version = copies.has(name) ? versionOf(folder) : undefined
      if (version !== undefined) copies.get(name)?.push({ folder, version })
      folders.push(join(folder, 'node_modules'))
    }
    // pnpm keeps each package in a folder of its own.
    for (const stored of foldersIn(join(modules, '.pnpm')))
      folders.push(join(modules, '.pnpm', stored, 'node_modules'))
  }
}

function packagesIn(modules: string): string[] {
  return foldersIn(modules).flatMap((name) =>
    name.startsWith('@') ? foldersIn(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  )
}

/** Links are left out: they lead to what is found elsewhere. */
function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== '.pnpm')
      .map(({ name }) => name)
  } catch {
    return []
  }
}

/** The version in a package's manifest; `undefined` where there is none. */
export function versionOf(folder: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return isRecord(manifest) && typeof manifest.version === 'string' ? manifest.version : undefined
  } catch {
    return undefined
  }
}
