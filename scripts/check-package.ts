import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copy, install, NEST, write } from './consumer-project.js'
import { libraryEntries, readManifest, root } from './entries.js'
import { compile, type FrameworkApplication, nest, useFramework } from './framework-application.js'
import { packBuilt } from './packed.js'
import { asJavaScript, readExample } from './readme-example.js'
import { node, run } from './run-command.js'

// Packs what would be published and uses it as its users do: installed into empty projects, from ESM, CommonJS and
// TypeScript, with the README's example. Libraries' declarations are checked, too: an error in one counts, whoever's it is.

const APPLICATIONS: readonly FrameworkApplication[] = [
  { name: 'Koa', directory: 'koa', packages: ['koa', '@types/koa', '@types/node'] },
  { name: 'Fastify', directory: 'fastify', packages: ['fastify', '@types/node'] },
  { name: 'Hono', directory: 'hono', packages: ['hono', '@hono/node-server', '@types/node'] },
  nest(12, 'Express'),
  nest(11, 'Express'),
  nest(10, 'Express'),
]

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
  for (const application of APPLICATIONS) {
    await step(application.name, () => useFramework(application, tarball, work))
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
