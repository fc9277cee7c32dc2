// Bundles an application with all that it imports, as the bundler's documentation has it for Node:
// bundle.mjs <bundler> <input> <output> esm|cjs. A warning about the package is an error.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const [bundler, input, output, format] = process.argv.slice(2)
const isEsm = format === 'esm'
/** What CommonJS code needs that was bundled into ESM: users write it so, with these names. */
const BANNER = `import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
const require = createRequire(import.meta.url)
const __filename = fileURLToPath(import.meta.url)
const __dirname = dirname(__filename)
`

const bundlers = {
  async esbuild() {
    const { build } = await import('esbuild')
    const { warnings } = await build({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      platform: 'node',
      format,
      ...(isEsm && { banner: { js: BANNER } }),
      ...(process.env.ESBUILD_CONDITIONS && { conditions: process.env.ESBUILD_CONDITIONS.split(',') }),
      logLevel: 'silent',
    })
    return warnings.map(({ text, location }) => `${location?.file}: ${text}`)
  },

  async webpack() {
    const { default: webpack } = await import('webpack')
    const stats = await new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          target: 'node20',
          entry: input,
          experiments: { outputModule: isEsm },
          ...(process.env.WEBPACK_NODE_ENV === 'left' && { optimization: { nodeEnv: false } }),
          output: {
            path: dirname(output),
            filename: basename(output),
            library: { type: isEsm ? 'module' : 'commonjs2' },
          },
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      )
    })
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true, moduleTrace: true })
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
    return warnings.map(({ message, moduleName }) => `${moduleName}: ${message}`)
  },

  async rollup() {
    const { rollup } = await import('rollup')
    const [{ nodeResolve }, { default: commonjs }, { default: json }] = await Promise.all([
      import('@rollup/plugin-node-resolve'),
      import('@rollup/plugin-commonjs'),
      import('@rollup/plugin-json'),
    ])
    const warnings = []
    const bundle = await rollup({
      input,
      plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()],
      onwarn: (warning) => warnings.push(warning.message),
    })
    await bundle.write({ file: output, format, inlineDynamicImports: true })
    return warnings
  },

  async rolldown() {
    const { rolldown } = await import('rolldown')
    const warnings = []
    const bundle = await rolldown({
      input,
      platform: 'node',
      onLog: (level, { message }) => level === 'warn' && warnings.push(message),
    })
    await bundle.write({ file: output, format, codeSplitting: false })
    return warnings
  },

  async ncc() {
    const { default: ncc } = await import('@vercel/ncc')
    const { code, assets } = await ncc(input, { quiet: true })
    mkdirSync(dirname(output), { recursive: true })
    writeFileSync(output, code)
    for (const [name, { source }] of Object.entries(assets)) {
      const file = join(dirname(output), name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, source)
    }
    return []
  },

  /** Bundles nothing: it finds the files that a host has to upload. */
  async nft() {
    const { nodeFileTrace } = await import('@vercel/nft')
    const { fileList, warnings } = await nodeFileTrace([input], {
      base: '/',
      conditions: ['node', 'module-sync'],
    })
    const folder = dirname(output)
    for (const file of fileList) cpSync(join('/', file), join(folder, file), { verbatimSymlinks: true })
    const traced = JSON.stringify(`.${input}`)
    writeFileSync(output, isEsm ? `export * from ${traced}` : `module.exports = require(${traced})`)
    return [...warnings].map(String)
  },
}

const warnings = await bundlers[bundler]()
const own = warnings.filter((warning) => warning.includes('reqtrack/'))
if (own.length > 0) throw new Error(`${bundler} warns: ${own.join('\n')}`)
