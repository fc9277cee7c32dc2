import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './bundle.js'

/** What an application gets on its disk, and in a bundle of its own. */
export interface SizeResult {
  readonly name: string
  /** Packages that are installed, its own included. */
  readonly packages: number
  /** Bytes of all of them. */
  readonly installed: number
  /** Bytes of a minimal Express application bundled with it and minified, over one without. */
  readonly bundled: number
  readonly bundledAndCompressed: number
}

const APPLICATION = `import express from 'express'
const app = express()
app.get('/', (req, res) => { TRACK; res.send('ok') })
app.listen(0)`

const APPLICATIONS = {
  bare: APPLICATION.replace('TRACK; ', ''),
  reqtrack: `import { createTracking } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'
${APPLICATION.replace('TRACK', "req.track('page read')").replace('app.get', "app.use(expressTracking(createTracking({ settings: { writeKey: 'key' } })))\napp.get")}`,
  '@segment/analytics-node': `import { Analytics } from '@segment/analytics-node'
const analytics = new Analytics({ writeKey: 'key' })
${APPLICATION.replace('TRACK', "analytics.track({ userId: 'u', event: 'Page Read' })")}`,
}

/** Installs the package as it is published, and the SDK alone, into empty projects, from npm. */
export async function runSizes(): Promise<SizeResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-size-'))
  try {
    const tarball = pack(directory)
    const bare = await bundled(root, APPLICATIONS.bare)
    const results: SizeResult[] = []
    for (const [name, source] of [
      ['reqtrack', tarball],
      ['@segment/analytics-node', '@segment/analytics-node'],
    ] as const) {
      const project = join(directory, name.replace(/\W/g, '-'))
      mkdirSync(project)
      writeFileSync(join(project, 'package.json'), '{"private":true}')
      execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', source], {
        cwd: project,
        stdio: 'ignore',
      })
      const modules = join(project, 'node_modules')
      // The bundle is of the repository's Express, which is installed beside neither.
      const code = await bundled(root, APPLICATIONS[name])
      results.push({
        name,
        packages: packagesIn(modules),
        installed: bytesIn(modules),
        bundled: code.length - bare.length,
        bundledAndCompressed: gzipSync(code).length - gzipSync(bare).length,
      })
    }
    return results
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function pack(directory: string): string {
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' })
  const output = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const [packed]: { filename: string }[] = JSON.parse(output)
  if (!packed) throw new Error('npm pack packed nothing')
  return join(directory, packed.filename)
}

/** The repository finds itself by its own name, as it was built last. */
async function bundled(resolveDir: string, contents: string): Promise<Buffer> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir, loader: 'js' },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'error',
  })
  return Buffer.from(outputFiles[0]?.contents ?? [])
}

function packagesIn(modules: string): number {
  const names = readdirSync(modules).filter((name) => !name.startsWith('.'))
  return names.reduce(
    (count, name) => count + (name.startsWith('@') ? readdirSync(join(modules, name)).length : 1),
    0,
  )
}

function bytesIn(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((bytes, { parentPath, name }) => bytes + statSync(join(parentPath, name)).size, 0)
}
