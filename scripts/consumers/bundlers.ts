import { mkdtempSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { write } from '../consumer-project.js'
import { asJavaScript, readExample } from '../readme-example.js'
import { node } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { link, tool } from './tools.js'

/** A busy machine takes long. */
const BUNDLE_TIMEOUT_MS = 600_000

interface Bundler {
  readonly name: string
  readonly version: string
  /** How it is named in the registry. */
  readonly package?: string
  /** What it cannot do without for Node's packages. */
  readonly plugins?: Readonly<Record<string, string>>
  readonly isQuick?: boolean
}

const BUNDLERS: readonly Bundler[] = [
  { name: 'esbuild', version: '0.28.2', isQuick: true },
  { name: 'webpack', version: '5.113.0', isQuick: true },
  {
    name: 'rollup',
    version: '4.68.8',
    plugins: {
      '@rollup/plugin-node-resolve': '16.0.3',
      '@rollup/plugin-commonjs': '29.0.3',
      '@rollup/plugin-json': '6.1.0',
    },
  },
  { name: 'rolldown', version: '1.3.2' },
  { name: 'ncc', version: '0.45.0', package: '@vercel/ncc' },
]

export const bundlers: readonly Cell[] = BUNDLERS.map((bundler) => ({
  area: 'Bundlers',
  name: `${bundler.name} ${bundler.version}`,
  what: "the README's application in one file, ESM and CommonJS",
  isQuick: bundler.isQuick === true,
  run: (stage) => bundle(bundler, stage),
}))

async function bundle(bundler: Bundler, stage: Stage): Promise<void> {
  const { name, version, plugins = {} } = bundler
  const packages = { [bundler.package ?? name]: version, ...plugins }
  const modules = await tool(...Object.entries(packages).map(([name, version]) => `${name}@${version}`))
  link(join(stage.project, 'bundlers'), modules, ...Object.keys(packages))
  const example = readExample()
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const) {
    const folder = stage.folder(`${name}-${format}`, format === 'esm' ? 'module' : 'commonjs')
    write(folder, 'main.js', asJavaScript(example, format))
    // Where no module can be found that the bundle may lack.
    const output = join(mkdtempSync(join(dirname(stage.tarball), 'bundle-')), `main.${extension}`)
    await node(['bundlers/bundle.mjs', name, join(folder, 'main.js'), output, format], stage.project, {
      timeout: BUNDLE_TIMEOUT_MS,
    })
    await node(['drive.mjs', output, example.route], stage.project)
  }
}
