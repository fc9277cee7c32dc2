import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/entries.js'
import { isRecord } from '../../src/model/values.js'
import type { Library, Package } from './library.js'

/** Where the libraries are installed: they are no part of what `npm ci` has to bring. */
const CACHE = join(root, 'node_modules/.cache/consent-libraries')

/** The libraries, installed. */
export interface Installed {
  /** The directory of the installed packages. */
  readonly modules: string
  readonly versionOf: (which: Package) => string
  /** The script with a library in it, as `library`. */
  readonly bundle: (library: Library) => Promise<string>
}

/**
 * Installs the libraries into a directory of their own, unless they are there.
 *
 * @param isLatest - Whether to take the newest versions instead of the pinned ones.
 * @throws If npm cannot install them, with what to do about it.
 */
export function install(libraries: readonly Library[], isLatest: boolean): Installed {
  const packages = libraries.flatMap((library) => library.packages)
  const dependencies = Object.fromEntries(
    packages.map((which) => [placeOf(which), `npm:${which.name}@${versionWanted(which, isLatest)}`]),
  )
  const manifest = JSON.stringify({ private: true, dependencies }, undefined, 2)
  const hash = createHash('sha256').update(manifest).digest('hex').slice(0, 12)
  const directory = join(CACHE, isLatest ? 'latest' : hash)
  const done = join(directory, 'installed')
  if (isLatest || !existsSync(done)) {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), manifest)
    npmInstall(directory)
    writeFileSync(done, '')
  }
  const modules = join(directory, 'node_modules')
  return {
    modules,
    versionOf: (which) => versionIn(join(modules, placeOf(which), 'package.json')),
    bundle: (library) => bundle(directory, library),
  }
}

/** The directory of a package among the installed ones. */
export function placeOf({ as, name }: Package): string {
  return as ?? name
}

function versionWanted({ version, latest = 'latest' }: Package, isLatest: boolean): string {
  return isLatest ? latest : version
}

function npmInstall(directory: string): void {
  // Scripts of packages have no business here, and what a library wants to have beside itself is named by its page.
  const options = [
    '--prefer-offline',
    '--ignore-scripts',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ]
  try {
    execFileSync('npm', ['install', ...options], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    })
  } catch {
    throw new Error(
      `npm could not install the libraries into ${directory}. They come from the registry once, and from npm's own ` +
        'cache after that: run this with a network, or with a registry that has them (npm_config_registry).',
    )
  }
}

function versionIn(file: string): string {
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isRecord(manifest) || typeof manifest.version !== 'string') throw new Error(`${file} names no version`)
  return manifest.version.replace(/^v/, '')
}

async function bundle(directory: string, { packages }: Library): Promise<string> {
  const names = packages.map(placeOf)
  const entry = join(directory, `${names[0]?.replaceAll(/\W/g, '-')}.mjs`)
  const imports = names.map((name, at) => `import * as library${at} from '${name}'`).join('\n')
  const members = names.map((name, at) => `${JSON.stringify(name)}: library${at}`).join(', ')
  writeFileSync(
    entry,
    `${imports}\nObject.assign(globalThis, { library: library0, libraries: { ${members} } })\n`,
  )
  // Loaded only when needed: it takes longer than everything else here.
  const { build } = await import('tsdown')
  const outDir = join(directory, 'bundles')
  await build({
    config: false,
    cwd: directory,
    entry: { [names.join('-').replaceAll(/\W/g, '-')]: entry },
    outDir,
    clean: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    noExternal: [/.*/],
    define: { 'process.env.NODE_ENV': '"production"' },
    dts: false,
    sourcemap: false,
    hash: false,
    logLevel: 'silent',
    report: false,
    outputOptions: { entryFileNames: '[name].js' },
  })
  return readFileSync(join(outDir, `${names.join('-').replaceAll(/\W/g, '-')}.js`), 'utf8')
}
