import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's directory. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** One module that users import, from its place in package.json's `exports`. */
export interface Entry {
  /** What users import: `reqtrack` and the subpath. */
  readonly specifier: string
  /** Its files' common name below `src/` and `dist/`, without extension, such as `testing/index`. */
  readonly stem: string
  /** Its TypeScript file, absolute. */
  readonly source: string
}

interface Manifest {
  readonly name: string
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly imports: Readonly<Record<'#segment-sdk', Readonly<Record<string, string>>>>
}

/** @returns package.json, read afresh. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

/**
 * The modules to build: package.json's `exports` is the one list of them, so that adding a subpath is one edit.
 *
 * @throws If an export is not the four files of one module, or its source is missing.
 */
export function libraryEntries(): Entry[] {
  const { name, exports } = readManifest()
  return Object.entries(exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([subpath, target]) => {
      const stem = /"\.\/dist\/([\w/-]+)\.d\.ts"/.exec(JSON.stringify(target))?.[1]
      const expected = JSON.stringify(conditions(stem ?? `<${subpath}>`))
      if (!stem || JSON.stringify(target) !== expected) {
        throw new Error(
          `package.json exports["${subpath}"] is ${JSON.stringify(target)}: expected ${expected}`,
        )
      }
      return entry(name + subpath.slice(1), stem)
    })
}

/** The commands to build, from package.json's `bin`: ESM only, since nobody imports them. */
export function commandEntries(): Entry[] {
  return Object.entries(readManifest().bin ?? {}).map(([command, file]) =>
    entry(command, file.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, '')),
  )
}

/** TypeScript finds declarations by `types`, which has to come first; the two module kinds each have their own. */
function conditions(stem: string) {
  return {
    import: { types: `./dist/${stem}.d.ts`, default: `./dist/${stem}.js` },
    require: { types: `./dist/${stem}.d.cts`, default: `./dist/${stem}.cjs` },
  }
}

function entry(specifier: string, stem: string): Entry {
  const source = join(root, 'src', `${stem}.ts`)
  if (!existsSync(source))
    throw new Error(`package.json offers ${specifier}, but src/${stem}.ts does not exist`)
  return { specifier, stem, source }
}
