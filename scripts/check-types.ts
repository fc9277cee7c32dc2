import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { libraryEntries, root } from './entries.js'

// Compiles applications against the built package with the types of every framework, of Express 4 and 5 and of Koa 2 and 3:
// strict, with ESM and CommonJS in one program and without `skipLibCheck`, so that an error in any declaration that they reach
// counts, whoever's it is. Intended errors are marked as expected.

interface Consumer {
  readonly name: string
  /** Its folders below `test/consumers/framework-types`. */
  readonly sources: readonly string[]
  /** Which installed package stands for which name; other packages are there under their own. */
  readonly types: Readonly<Record<string, string>>
  /** Whether it imports and requires everything that the package exports. */
  readonly hasEveryEntry?: boolean
  /** Whether the declarations of its framework use the DOM's, as Hono's do. */
  readonly needsDom?: boolean
  /** Whether the declarations of libraries are left unchecked: those of `@walkeros/core` need Jest's and the DOM's types. */
  readonly skipLibCheck?: boolean
}

const consumers: readonly Consumer[] = [
  { name: 'Express 5', sources: ['express', 'events.ts', 'mapping.ts'], types: {} },
  { name: 'Express 4', sources: ['express', 'events.ts'], types: { '@types/express': '@types/express4' } },
  { name: 'Koa 3', sources: ['koa', 'events.ts'], types: {} },
  { name: 'Koa 2', sources: ['koa', 'events.ts'], types: { '@types/koa': '@types/koa2' } },
  { name: 'Fastify 5', sources: ['fastify', 'events.ts'], types: {} },
  { name: 'Hono 4', sources: ['hono', 'events.ts'], types: {}, needsDom: true },
  { name: 'web-standard handlers', sources: ['fetch', 'events.ts'], types: {} },
  { name: 'NestJS 12', sources: ['nestjs', 'events.ts'], types: {} },
  { name: 'no framework, no events merged', sources: ['unmerged'], types: {} },
  { name: 'every entry', sources: [], types: {}, hasEveryEntry: true, needsDom: true },
  { name: "walkerOS's own types", sources: ['walkeros'], types: {}, skipLibCheck: true },
]

const modules = join(root, 'node_modules')
const everyEntry = libraryEntries()
  .map(({ specifier }, index) => `export * as entry${index} from '${specifier}'\n`)
  .join('')
const exec = promisify(execFile)
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
/** A compiler takes half a gigabyte. */
const AT_ONCE = 4
/** Declarations find each other from where they really are: those of or for a framework have to be in one place. */
const COPIED = /^@types\/|^@koa\//
/** It has declarations of its own since version 2; Koa has version 1, which has those of `@types`. */
const OMITTED = ['content-disposition']

if (!existsSync(join(root, 'dist/index.d.ts'))) {
  console.error('There is no dist: npm run build makes it.')
  process.exit(1)
}
const work = mkdtempSync(join(tmpdir(), 'reqtrack-types-'))
try {
  const left = [...consumers.entries()]
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      if (await check(next[1], next[0])) process.exitCode = 1
    }
  })
  await Promise.all(workers)
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** @returns Whether something is wrong. */
async function check(consumer: Consumer, index: number): Promise<boolean> {
  const started = performance.now()
  const project = join(work, String(index))
  prepare(project, consumer)
  const errors = await compile(project)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${errors.length > 0 ? 'FAIL' : 'ok  '}  ${consumer.name} (${seconds} s)`)
  for (const error of errors) console.log(error)
  return errors.length > 0
}

/** Makes an application with the package, and with all that is installed here, in the versions that it is to have. */
function prepare(
  project: string,
  { sources, types, hasEveryEntry = false, needsDom = false, skipLibCheck = false }: Consumer,
): void {
  const packages = [...readdirSync(modules).filter((name) => !name.startsWith('.'))].flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  )
  const installed = join(project, 'node_modules')
  for (const name of packages.filter((name) => !OMITTED.includes(name))) {
    const source = join(modules, types[name] ?? name)
    mkdirSync(join(installed, name, '..'), { recursive: true })
    if (COPIED.test(name)) cpSync(source, join(installed, name), { recursive: true })
    else symlinkSync(source, join(installed, name))
  }
  for (const part of ['dist', 'package.json']) {
    cpSync(join(root, part), join(installed, 'reqtrack', part), { recursive: true })
  }
  for (const name of sources) {
    cpSync(join(root, 'test/consumers/framework-types', name), join(project, 'src', name), {
      recursive: true,
    })
  }
  for (const extension of hasEveryEntry ? ['ts', 'cts'] : []) {
    const file = join(project, `src/entries.${extension}`)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, everyEntry)
  }
  write(project, 'package.json', { type: 'module' })
  write(project, 'tsconfig.json', {
    extends: join(root, 'test/consumers/tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      types: ['node'],
      typeRoots: ['node_modules/@types'],
      // The declarations themselves have to hold with it, too.
      exactOptionalPropertyTypes: true,
      skipLibCheck,
      ...(needsDom && { lib: ['ES2023', 'DOM', 'DOM.Iterable'] }),
    },
    include: ['src'],
  })
}

function write(project: string, file: string, content: object): void {
  writeFileSync(join(project, file), JSON.stringify(content))
}

/** @returns The compiler's errors. */
async function compile(project: string): Promise<string[]> {
  try {
    await exec(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { cwd: project })
    return []
  } catch (error) {
    const { stdout = '', stderr = '' } = Object(error)
    if (stdout === '') return [String(stderr)]
    // A diagnostic's further lines are indented.
    return String(stdout)
      .trim()
      .split(/\n(?! )/)
  }
}
