import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { consumers, write } from '../consumer-project.js'
import { libraryEntries } from '../entries.js'
import { readExample } from '../readme-example.js'
import { CommandError, node } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { tool } from './tools.js'

/** The first that is supported, the last that cannot read the attribute of imports, the last of 5 and 6, and the one written in Go. */
const VERSIONS = ['5.0.4', '5.2.2', '5.9.3', '6.0.3', '7.0.2']
/** The oldest and the newest. */
const QUICK = ['5.0.4', '7.0.2']

/** A busy machine takes long. */
const COMPILE_TIMEOUT_MS = 600_000

/** How a project resolves modules, and the files that it can have then. */
interface Resolution {
  readonly module: string
  readonly moduleResolution: string
  readonly files: readonly string[]
  /** The major versions that have it. */
  readonly until?: number
}

const ESM = ['esm.ts', 'application.ts', 'events.ts', 'mistaken.ts']
const COMMON_JS = ['commonjs.cts', 'application.cts', 'mistaken.cts']

const RESOLUTIONS: readonly Resolution[] = [
  { module: 'nodenext', moduleResolution: 'nodenext', files: [...ESM, ...COMMON_JS] },
  { module: 'node16', moduleResolution: 'node16', files: [...ESM, ...COMMON_JS] },
  { module: 'esnext', moduleResolution: 'bundler', files: ESM },
  { module: 'commonjs', moduleResolution: 'node10', files: ESM, until: 6 },
  { module: 'esnext', moduleResolution: 'node10', files: ESM, until: 6 },
]

export const compilers: readonly Cell[] = VERSIONS.map((version) => ({
  area: 'TypeScript',
  name: `TypeScript ${version}`,
  what: `\`nodenext\`, \`node16\`, \`bundler\`${majorOf(version) > 6 ? '' : ', `node10`'}`,
  isQuick: QUICK.includes(version),
  run: (stage) => compileAll(version, stage),
}))

async function compileAll(version: string, stage: Stage): Promise<void> {
  const modules = await tool(`typescript@${version}`)
  const folder = stage.folder(`typescript-${version}`, 'module')
  const everyEntry = libraryEntries()
    .map(({ specifier }, index) => `export * as entry${index} from '${specifier}'\n`)
    .join('')
  for (const file of ['esm.ts', 'commonjs.cts']) write(folder, file, everyEntry)
  for (const file of ['application.ts', 'application.cts']) write(folder, file, readExample().typescript)
  for (const extension of ['ts', 'cts']) {
    cpSync(join(consumers, 'compilers/mistaken.ts'), join(folder, `mistaken.${extension}`))
  }
  cpSync(join(consumers, 'compilers/events.ts'), join(folder, 'events.ts'))
  const foreign = new Map<string, number>()
  const check = async (resolution: Resolution, skipLibCheck: boolean) => {
    const project = `${resolution.module}-${resolution.moduleResolution}-${skipLibCheck}.json`
    write(folder, project, JSON.stringify(configuration(resolution, version, skipLibCheck)))
    for (const error of await compile(join(modules, 'typescript/bin/tsc'), folder, project)) {
      const owner = ownerOf(error)
      if (owner === 'reqtrack') throw new Error(`${project}: ${error}`)
      foreign.set(owner, (foreign.get(owner) ?? 0) + 1)
    }
  }
  for (const resolution of RESOLUTIONS.filter(({ until = Infinity }) => majorOf(version) <= until)) {
    await check(resolution, false)
    if (!stage.isFull) break
    await check(resolution, true)
  }
  const others = [...foreign].map(([name, count]) => `${name} ${count}`)
  if (others.length > 0) console.log(`      errors in declarations of others: ${others.join(', ')}`)
}

function configuration(
  { module, moduleResolution, files, until }: Resolution,
  version: string,
  skipLibCheck: boolean,
) {
  return {
    compilerOptions: {
      target: 'ES2022',
      // Hono's declarations use the DOM's.
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: ['node'],
      typeRoots: ['../node_modules/@types'],
      module,
      moduleResolution,
      ...(until === majorOf(version) && { ignoreDeprecations: `${until}.0` }),
      strict: true,
      noEmit: true,
      esModuleInterop: true,
      skipLibCheck,
      // The stricter of each: what holds with it holds without.
      exactOptionalPropertyTypes: !skipLibCheck,
    },
    files,
  }
}

/** @returns The compiler's errors. */
async function compile(tsc: string, folder: string, project: string): Promise<string[]> {
  try {
    await node([tsc, '-p', project, '--pretty', 'false'], folder, { timeout: COMPILE_TIMEOUT_MS })
    return []
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    // A diagnostic's further lines are indented.
    return error.output.trim().split(/\n(?! )/)
  }
}

/** @returns The package in whose declarations an error is; the project's own errors are held against `reqtrack`. */
function ownerOf(error: string): string {
  return /^[^(]*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(error)?.[1] ?? 'reqtrack'
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}
