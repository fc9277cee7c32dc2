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
  readonly what?: string
  /** What it cannot do without for Node's packages. */
  readonly plugins?: Readonly<Record<string, string>>
  readonly isQuick?: boolean
}

const ESBUILD: Bundler = { name: 'esbuild', version: '0.28.2', isQuick: true }
const WEBPACK: Bundler = { name: 'webpack', version: '5.113.0', isQuick: true }
const BUNDLERS: readonly Bundler[] = [
  ESBUILD,
  WEBPACK,
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
  {
    name: 'nft',
    version: '1.11.5',
    package: '@vercel/nft',
    what: "the files that it finds of the README's application, ESM and CommonJS",
    isQuick: true,
  },
]

/** A bundler with conditions of its own forgets those that it has by default. */
const CONDITIONS = 'source,development'

/** The inspector in what webpack's production mode makes, which is run where \`NODE_ENV\` is not set. */
const INSPECTED: readonly Cell[] = [
  {
    area: 'Bundlers',
    name: `${labelOf(WEBPACK)}, \`inspector(tracking)\``,
    what: '',
    limit: {
      says: /^made with authorize$.*inspector\(\) shows personal data, and NODE_ENV is production: expected an authorize function/ms,
      note: 'the production mode writes `NODE_ENV` into the bundle, and the inspector wants `authorize`, wherever it runs: [the ways around](inspector.md#who-can-see-it)',
    },
    isQuick: true,
    run: (stage) => inspect(stage, {}),
  },
  {
    area: 'Bundlers',
    name: `${labelOf(WEBPACK)}, \`optimization: { nodeEnv: false }\``,
    what: '`inspector(tracking)`, made where `NODE_ENV` is not set',
    run: (stage) => inspect(stage, { WEBPACK_NODE_ENV: 'left' }),
  },
]

export const bundlers: readonly Cell[] = [
  ...BUNDLERS.map(
    (bundler): Cell => ({
      area: 'Bundlers',
      name: labelOf(bundler),
      what: bundler.what ?? "the README's application in one file, ESM and CommonJS",
      isQuick: bundler.isQuick === true,
      run: (stage) => bundleExample(bundler, stage),
    }),
  ),
  {
    area: 'Bundlers',
    name: `${labelOf(ESBUILD)}, \`conditions\``,
    what: 'the same, with conditions of its own',
    run: (stage) => bundleExample(ESBUILD, stage, { ESBUILD_CONDITIONS: CONDITIONS }),
  },
  ...INSPECTED,
]

function labelOf({ name, version }: Bundler): string {
  return `${name} ${version}`
}

async function bundleExample(
  bundler: Bundler,
  stage: Stage,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await makeReady(bundler, stage)
  const example = readExample()
  for (const format of ['esm', 'cjs'] as const) {
    const folder = stage.folder(`${bundler.name}-${format}`, format === 'esm' ? 'module' : 'commonjs')
    write(folder, 'main.js', asJavaScript(example, format))
    const output = await bundle(bundler.name, join(folder, 'main.js'), format, stage, env)
    await node(['drive.mjs', output, example.route], stage.project)
  }
}

async function inspect(stage: Stage, env: Readonly<Record<string, string>>): Promise<void> {
  await makeReady(WEBPACK, stage)
  const output = await bundle(WEBPACK.name, join(stage.project, 'bundlers/inspected.mjs'), 'esm', stage, env)
  await node([output], dirname(output), { env: { NODE_ENV: '' } })
}

/** Installs a bundler, and lets the project find it. */
async function makeReady({ name, version, plugins = {}, package: installed = name }: Bundler, stage: Stage) {
  const packages = { [installed]: version, ...plugins }
  const modules = await tool(...Object.entries(packages).map(([name, version]) => `${name}@${version}`))
  link(join(stage.project, 'bundlers'), modules, ...Object.keys(packages))
}

/** @returns The bundle, where no module can be found that it may lack. */
async function bundle(
  bundler: string,
  input: string,
  format: 'esm' | 'cjs',
  stage: Stage,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const extension = format === 'esm' ? 'mjs' : 'cjs'
  const output = join(mkdtempSync(join(dirname(stage.tarball), 'bundle-')), `main.${extension}`)
  const timeout = BUNDLE_TIMEOUT_MS
  await node(['bundlers/bundle.mjs', bundler, input, output, format], stage.project, { timeout, env })
  return output
}
