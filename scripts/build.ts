import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, parse, relative } from 'node:path'
import { build, type InlineConfig } from 'tsdown'
import ts from 'typescript'
import { writeDeclarations } from './declarations.js'
import { commandEntries, type Entry, libraryEntries, readManifest, root } from './entries.js'
import { ensureInspectorPage } from './inspector-page.js'

const dist = join(root, 'dist')
const library = libraryEntries()
const commands = commandEntries()

const filesOfStart = new Set<string>()

const shared: InlineConfig = {
  config: false,
  cwd: root,
  outDir: dist,
  clean: false,
  platform: 'node',
  fixedExtension: false,
  hash: false,
  sourcemap: true,
  // The compiler writes them: see declarations.ts.
  dts: false,
  // `import.meta.url` in CommonJS.
  shims: true,
  // Requiring works from Node 20.19 on, yet not in Jest, which many users test with.
  checks: { legacyCjs: false },
  // What other packages export has to be imported from them, not copied into this one.
  skipNodeModulesBundle: true,
  logLevel: 'warn',
  report: false,
  failOnWarn: true,
  // Comments are half of what Node would have to read; everything else stays readable.
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: false } },
}

await ensureInspectorPage()
rmSync(dist, { recursive: true, force: true })
await build({
  ...shared,
  format: 'esm',
  entry: byStem([...library, ...commands]),
  outputOptions: chunks('js'),
  plugins: [replaceSdk({ id: '#segment-sdk', external: true })],
})
await build({
  ...shared,
  format: 'cjs',
  entry: byStem(library),
  outputOptions: chunks('cjs'),
  plugins: [replaceSdk({ id: sdkFile('on-demand') })],
})
for (const target of Object.values(readManifest().imports['#segment-sdk'])) writeSdkFile(target)
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (/\.c?js$/.test(file)) writeAsLatin1(join(dist, file))
  if (file.endsWith('.map')) leaveSourcesOut(join(dist, file))
}
await writeDeclarations(library, commands, dist)
runIfPresent('scripts/walkeros-json.ts')
runIfPresent('scripts/config-schema.ts')

/** Puts something in the place of the module that loads the Segment SDK. */
function replaceSdk(replacement: { readonly id: string; readonly external?: boolean }) {
  return {
    name: 'segment-sdk',
    resolveId: (specifier: string) => (specifier.endsWith('/segment-sdk/index.js') ? replacement : null),
  }
}

function sdkFile(name: string): string {
  return join(root, 'src/delivery/segment-sdk', `${name}.ts`)
}

/** Writes a module as it is: tools have to recognise how it loads the SDK. */
function writeSdkFile(target: string): void {
  const { name, ext } = parse(target)
  const module = ext === '.cjs' ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module, removeComments: true }
  const { outputText } = ts.transpileModule(readFileSync(sdkFile(name), 'utf8'), { compilerOptions })
  mkdirSync(dirname(join(root, target)), { recursive: true })
  writeFileSync(join(root, target), outputText)
}

function byStem(entries: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ stem, source }) => [stem, source]))
}

/** What entries share is in files of its own, so that no module is there twice. */
function chunks(extension: string): InlineConfig['outputOptions'] {
  return {
    chunkFileNames: `chunks/[name].${extension}`,
    exports: 'named',
    esModule: true,
    // A server reads three files of this package when it starts, not thirty: each costs Node a good half of a millisecond.
    codeSplitting: {
      groups: [
        {
          name: (file, modules) =>
            startFiles((id) => modules.getModuleInfo(id)?.importedIds ?? []).has(file) ? 'reqtrack' : null,
        },
        { name: 'mounting', test: isOfMounting },
      ],
    },
  }
}

/** What every start loads: the modules that `reqtrack` imports, however indirectly. */
function startFiles(importsOf: (file: string) => readonly string[]): ReadonlySet<string> {
  if (filesOfStart.size > 0) return filesOfStart
  const visit = (file: string): void => {
    if (filesOfStart.has(file)) return
    filesOfStart.add(file)
    for (const each of importsOf(file)) visit(each)
  }
  visit(join(root, 'src', 'index.ts'))
  return filesOfStart
}

/** Whether a module belongs to adapters, and is no adapter itself: most of it is loaded by each. */
function isOfMounting(file: string): boolean {
  const place = relative(join(root, 'src'), file)
  return /^(frameworks|collect)[\\/]/.test(place) && !library.some(({ source }) => source === file)
}

/** V8 keeps and reads a file with one byte a character if it has no others; one `…` in a text doubles all of it. */
function writeAsLatin1(file: string): void {
  const code = readFileSync(file, 'utf8')
  const escaped = code.replace(
    /[^\0-\xff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (escaped !== code) writeFileSync(file, escaped)
}

/** A stack trace needs the names and lines of sources; their text would be half of what is installed. */
function leaveSourcesOut(file: string): void {
  const { sourcesContent: _, ...map } = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify(map))
}

function runIfPresent(script: string): void {
  if (!existsSync(join(root, script))) return
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', script], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${script} failed`)
}
