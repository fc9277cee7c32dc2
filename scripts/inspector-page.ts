import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsdown'
import { root } from './entries.js'

const directory = join(root, 'src/inspector/page')
/** The module that the inspector imports its page from; in the repository, so that nothing needs a build to run. */
export const assetsFile = join(directory, 'assets.ts')

/** @returns The text of {@link assetsFile}: the page's files as they are, its script compiled into one. */
export async function makeAssets(): Promise<string> {
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const assets = { html: read('index.html'), styles: read('styles.css'), script: await compileScript() }
  // What ends the element inside the script would end it in the page, too.
  if (/<\/(script|style)/i.test(assets.script + assets.styles))
    throw new Error('an asset ends its own element')
  const constants = Object.entries(assets).map(([name, text]) => `export const ${name} = ${literal(text)}\n`)
  return ['// Made from the files beside it by `npm run inspector:page`: edit those.\n', ...constants].join(
    '\n',
  )
}

/** Compiles the page's script, for browsers of the last few years. */
async function compileScript(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'reqtrack-inspector-'))
  try {
    await build({
      config: false,
      cwd: root,
      entry: { script: join(directory, 'client/main.ts') },
      tsconfig: join(directory, 'tsconfig.json'),
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

function literal(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, (special) => `\\${special}`)}\``
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(assetsFile, await makeAssets())
}
