import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { consumers, write } from '../consumer-project.js'
import { libraryEntries } from '../entries.js'
import { nest, useFramework } from '../framework-application.js'
import { readExample } from '../readme-example.js'
import { CommandError, node } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { tool } from './tools.js'

/**
 * The first that is supported, the last that cannot read the attribute of imports, the last that does not let CommonJS
 * import ESM, the last of 5 and 6, and the one written in Go.
 */
const VERSIONS = ['5.0.4', '5.2.2', '5.7.3', '5.9.3', '6.0.3', '7.0.2']
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
  readonly from?: number
  readonly until?: number
  readonly isQuick?: boolean
}

type Strictness = (typeof STRICTNESS)[number]

const ESM = ['esm.ts', 'application.ts', 'events.ts', 'mistaken.ts']
const COMMON_JS = ['commonjs.cts', 'application.cts', 'mistaken.cts']

const RESOLUTIONS: readonly Resolution[] = [
  { module: 'nodenext', moduleResolution: 'nodenext', files: [...ESM, ...COMMON_JS], isQuick: true },
  { module: 'node16', moduleResolution: 'node16', files: [...ESM, ...COMMON_JS] },
  { module: 'esnext', moduleResolution: 'bundler', files: ESM },
  // TypeScript 5 does not allow it.
  { module: 'commonjs', moduleResolution: 'bundler', files: ESM, from: 6 },
  { module: 'commonjs', moduleResolution: 'node10', files: ESM, until: 6, isQuick: true },
  { module: 'esnext', moduleResolution: 'node10', files: ESM, until: 6 },
]

/**
 * What is stricter and what is laxer: with declarations unchecked there are fewer errors, and so there are where what may be
 * `undefined` need not be left out.
 */
const STRICTNESS = [
  { skipLibCheck: false, exactOptionalPropertyTypes: true },
  { skipLibCheck: true, exactOptionalPropertyTypes: false },
] as const

export const compilers: readonly Cell[] = [
  ...VERSIONS.map((version) => ({
    area: 'TypeScript' as const,
    name: `TypeScript ${version}`,
    what: whatOf(version),
    isQuick: QUICK.includes(version),
    run: (stage: Stage) => compileAll(version, stage),
  })),
  {
    area: 'TypeScript',
    name: 'TypeScript 5.7.3, NestJS 12 imported by CommonJS',
    what: '',
    limit: {
      says: /error TS1479: .*@nestjs\/common/,
      note: 'NestJS 12 is ESM alone, which TypeScript lets a CommonJS file import from 5.8 on, with `module: nodenext`: `error TS1479`',
    },
    run: async ({ tarball }) => {
      const modules = await tool('typescript@5.7.3')
      const application = { ...nest(12, 'Express'), name: 'NestJS 12, TypeScript 5.7' }
      await useFramework(application, tarball, dirname(tarball), join(modules, 'typescript/bin/tsc'))
    },
  },
]

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
  const check = async (resolution: Resolution, strictness: Strictness) => {
    const project = `${resolution.module}-${resolution.moduleResolution}-${Object.values(strictness).join('-')}.json`
    write(folder, project, JSON.stringify(configuration(resolution, version, strictness)))
    for (const error of await compile(join(modules, 'typescript/bin/tsc'), folder, project)) {
      const owner = ownerOf(error)
      if (owner === 'reqtrack') throw new Error(`${project}: ${error}`)
      foreign.set(owner, (foreign.get(owner) ?? 0) + 1)
    }
  }
  for (const resolution of resolutionsOf(version)) {
    if (!stage.isFull && !resolution.isQuick) continue
    for (const strictness of stage.isFull ? STRICTNESS : STRICTNESS.slice(0, 1)) {
      await check(resolution, strictness)
    }
  }
  const others = [...foreign].map(([name, count]) => `${name} ${count}`)
  if (others.length > 0) console.log(`      errors in declarations of others: ${others.join(', ')}`)
}

function configuration(
  { module, moduleResolution, files, until }: Resolution,
  version: string,
  strictness: Strictness,
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
      ...strictness,
    },
    files,
  }
}

function resolutionsOf(version: string): readonly Resolution[] {
  const major = majorOf(version)
  return RESOLUTIONS.filter(
    ({ from = 0, until = Number.POSITIVE_INFINITY }) => major >= from && major <= until,
  )
}

/** @returns How a version resolves modules, for the table: `bundler` (ESM, CommonJS), and so on. */
function whatOf(version: string): string {
  const kinds = new Map<string, Set<string>>()
  for (const { module, moduleResolution, files } of resolutionsOf(version)) {
    const known = kinds.get(moduleResolution) ?? new Set()
    if (module === 'commonjs') known.add('CommonJS')
    else for (const kind of files.includes('commonjs.cts') ? ['ESM', 'CommonJS'] : ['ESM']) known.add(kind)
    kinds.set(moduleResolution, known)
  }
  const each = Array.from(kinds, ([name, known]) => `\`${name}\` (${[...known].sort().reverse().join(', ')})`)
  return each.join(', ')
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
