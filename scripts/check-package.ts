import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consumers, copy, install, NEST, write } from './consumer-project.js'
import { libraryEntries, readManifest, root } from './entries.js'
import { packBuilt } from './packed.js'
import { asJavaScript, readExample } from './readme-example.js'
import { node, run } from './run-command.js'

// Packs what would be published and uses it as its users do: installed into empty projects, from ESM, CommonJS and
// TypeScript, with the README's example. Libraries' declarations are checked, too: an error in one counts, whoever's it is.

const { resolve } = createRequire(import.meta.url)
const tsc = resolve('typescript/bin/tsc')

const started = performance.now()
const work = mkdtempSync(join(tmpdir(), 'reqtrack-package-'))
try {
  await step('npm run build', () => run('npm', ['run', 'build'], root))
  const tarball = await step('npm pack', pack)
  await step('publint --strict', () => node([bin('publint'), 'run', tarball, '--strict'], root))
  await step('attw --profile node16', () =>
    node([bin('@arethetypeswrong/cli', 'attw'), tarball, '--profile', 'node16'], root),
  )
  await checkJavaScript(tarball)
  await checkTypeScript(tarball)
  await checkFramework('koa', tarball, ['koa', '@types/koa', '@types/node'])
  await checkFramework('fastify', tarball, ['fastify', '@types/node'], '/orders')
  await checkFramework('hono', tarball, ['hono', '@hono/node-server', '@types/node'], '/orders')
  // In Nest 10 the process ends by the signal itself, whatever is asked of it: that application is of newer ones.
  for (const version of ['12', '11']) {
    const nest = [...NEST, '@nestjs/platform-express'].map((name) =>
      name.startsWith('@nestjs/') ? `${name}@${version}` : name,
    )
    const packages = [...nest, '@types/express', '@types/node']
    await checkFramework('nestjs', tarball, packages, '/orders', `nestjs ${version}`)
  }
  console.log(`the package is fit to publish (${seconds(started)})`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** Packs as `npm publish` does; the build, which goes before it, has been made. */
async function pack(): Promise<string> {
  const { tarball, fileCount, size } = await packBuilt(work)
  console.log(`      ${fileCount} files, ${(size / 1000).toFixed(0)} kB`)
  return tarball
}

async function checkJavaScript(tarball: string): Promise<void> {
  const project = join(work, 'javascript')
  const example = readExample()
  write(project, 'package.json', JSON.stringify({ private: true }))
  write(project, 'esm/package.json', JSON.stringify({ type: 'module' }))
  write(project, 'esm/main.js', asJavaScript(example, 'esm'))
  write(project, 'cjs/package.json', JSON.stringify({ type: 'commonjs' }))
  write(project, 'cjs/main.js', asJavaScript(example, 'cjs'))
  write(project, 'frameworkless/package.json', JSON.stringify({ type: 'module' }))
  write(project, 'frameworkless/main.ts', "export * from 'reqtrack'\n")
  copy(project, 'entries.mjs', 'start.mjs', 'dual-load.mjs', 'collector.mjs', 'drive.mjs')
  await step('install: JavaScript', () =>
    install(project, tarball, ['express', '@types/node', '@walkeros/collector', ...NEST]),
  )

  await step('every entry imported and required', () => node(['entries.mjs'], project))
  await step('what a start loads', () => node(['start.mjs'], project))
  await step("the README's example: ESM", () => node(['drive.mjs', 'esm/main.js', example.route], project))
  await step("the README's example: CommonJS", () =>
    node(['drive.mjs', 'cjs/main.js', example.route], project),
  )
  await step('imported and required in one process', () => node(['dual-load.mjs'], project))
  await step("in walkerOS's collector, imported and required", () => node(['collector.mjs'], project))
  await step("types without a framework's types", () => compile(project, 'frameworkless'))
}

async function checkTypeScript(tarball: string): Promise<void> {
  const project = join(work, 'typescript')
  const example = readExample()
  const everyEntry = libraryEntries()
    .map(({ specifier }, index) => `export * as entry${index} from '${specifier}'\n`)
    .join('')
  write(project, 'package.json', JSON.stringify({ private: true, type: 'module' }))
  write(project, 'esm/main.ts', example.typescript)
  write(project, 'esm/entries.ts', everyEntry)
  write(project, 'cjs/main.cts', example.typescript)
  write(project, 'cjs/entries.cts', everyEntry)
  copy(project, 'merged-by-import', 'merged-by-require', 'drive.mjs')
  const types = Object.keys(readManifest().peerDependencies).filter((name) => name.startsWith('@types/'))
  const typed = ['express', 'fastify', 'hono', '@types/node', ...NEST, ...types]
  await step('install: TypeScript', () => install(project, tarball, typed))

  await step('compile: ESM', () => compile(project, 'esm'))
  await step("the README's example: TypeScript, ESM", () =>
    node(['drive.mjs', 'esm/main.js', example.route], project),
  )
  await step('compile: CommonJS', () => compile(project, 'cjs'))
  await step("the README's example: TypeScript, CommonJS", () =>
    node(['drive.mjs', 'cjs/main.cjs', example.route], project),
  )
  await step('events merged by an importing file', () => compile(project, 'merged-by-import'))
  await step('events merged by a requiring file', () => compile(project, 'merged-by-require'))
}

/**
 * Uses the package as an application of a framework does, in a project of its own: Express brings a version of
 * content-disposition that Koa's declarations do not fit.
 *
 * @param directory - Its files.
 * @param packages - In the versions that the repository has, unless they name another one.
 * @param route - Of the application's orders, where it is run.
 */
async function checkFramework(
  directory: string,
  tarball: string,
  packages: readonly string[],
  route?: string,
  name = directory,
): Promise<void> {
  const project = join(work, name)
  write(project, 'package.json', JSON.stringify({ private: true, type: 'module' }))
  copy(project, directory, 'drive.mjs')
  await step(`install: ${name}`, () => install(project, tarball, packages))
  await step(`${name}: types, imported and required`, () => compile(project, directory))
  if (route === undefined) return
  for (const file of ['imported.js', 'required.cjs']) {
    await step(`${name}: ${file}`, () => node(['drive.mjs', `${directory}/${file}`, route], project))
  }
}

async function compile(project: string, directory: string): Promise<void> {
  const options = {
    extends: join(consumers, 'tsconfig.json'),
    // Hono's declarations use the DOM's.
    compilerOptions: { typeRoots: ['../node_modules/@types'], lib: ['ES2023', 'DOM', 'DOM.Iterable'] },
  }
  write(project, `${directory}/tsconfig.json`, JSON.stringify(options))
  await node([tsc, '-p', directory, '--pretty', 'false'], project)
}

/** @returns The file of a command that a development dependency brings. */
function bin(name: string, command = name): string {
  const directory = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  return join(directory, typeof bin === 'string' ? bin : bin[command])
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now()
  try {
    const result = await work()
    console.log(`ok    ${name} (${seconds(from)})`)
    return result
  } catch (error) {
    console.log(`FAIL  ${name} (${seconds(from)})`)
    throw error
  }
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`
}
