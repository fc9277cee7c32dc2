import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { root } from './entries.js'

const PAGE = 'src/inspector/page'
/** The generated module that the inspector imports its page from, below the repository's directory. */
export const ASSETS = `${PAGE}/assets.js`

/**
 * Makes {@link ASSETS} unless it is up to date: the tests, the demo, the documentation check and the build call it, so
 * that a fresh clone needs no step of its own. Any number of processes may do so at the same time.
 *
 * @param repository - The directory that has the sources.
 * @returns Whether the file had to be made.
 */
export async function ensureInspectorPage(repository = root): Promise<boolean> {
  const file = join(repository, ASSETS)
  const header = `// Made from the files beside it (${hashOfSources(repository)}): edit those.\n`
  if (existsSync(file) && readFileSync(file, 'utf8').startsWith(header)) return false
  const assets = await makeAssets(repository)
  const constants = Object.entries(assets).map(([name, text]) => `export const ${name} = ${literal(text)}\n`)
  replaceFile(file, [header, ...constants].join('\n'))
  return true
}

/** Vitest's global setup: it takes no argument and returns nothing, unlike what it calls. */
export default async function setup(): Promise<void> {
  await ensureInspectorPage()
}

/** @returns A hash of everything that the page is made of, and of what makes it. */
function hashOfSources(repository: string): string {
  const hash = createHash('sha256')
  const client = readdirSync(join(repository, PAGE, 'client')).sort()
  const names = ['index.html', 'styles.css', 'tsconfig.json', ...client.map((name) => `client/${name}`)]
  const files = [
    ...names.map((name) => join(repository, PAGE, name)),
    // The one module outside of its folder that the client imports.
    join(repository, 'src/inspector/view.ts'),
    fileURLToPath(import.meta.url),
    join(root, 'node_modules/tsdown/package.json'),
  ]
  for (const file of files) {
    const text = readFileSync(file)
    hash.update(`${file.slice(file.lastIndexOf('/') + 1)} ${text.length}\n`).update(text)
  }
  return hash.digest('hex')
}

async function makeAssets(repository: string): Promise<Record<'html' | 'styles' | 'script', string>> {
  const read = (name: string) => readFileSync(join(repository, PAGE, name), 'utf8')
  const assets = {
    html: read('index.html'),
    styles: read('styles.css'),
    script: await compileScript(repository),
  }
  // The end tag of the element inside the script would end it in the page, too.
  if (/<\/(script|style)/i.test(assets.script + assets.styles))
    throw new Error(
      `${PAGE}: a style or script contains </style or </script, which would end its own element`,
    )
  return assets
}

/** Compiles the page's script, for browsers of the last few years. */
async function compileScript(repository: string): Promise<string> {
  // Loaded only when needed: it takes longer than everything else here.
  const { build } = await import('tsdown')
  const outDir = mkdtempSync(join(tmpdir(), 'reqtrack-inspector-'))
  try {
    await build({
      config: false,
      cwd: repository,
      entry: { script: join(repository, PAGE, 'client/main.ts') },
      tsconfig: join(repository, PAGE, 'tsconfig.json'),
      outDir,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      dts: false,
      sourcemap: false,
      hash: false,
      logLevel: 'silent',
      report: false,
      outputOptions: { entryFileNames: '[name].js' },
    })
    return readFileSync(join(outDir, 'script.js'), 'utf8')
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}

/** Replaces a file in one step: a process that reads it meanwhile gets the old text or the new one, never a part. */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.${Date.now()}.tmp`
  try {
    writeFileSync(temporary, text)
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
}

function literal(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, (special) => `\\${special}`)}\``
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await ensureInspectorPage()
