import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'tsdown'
import { root } from './entries.js'

const PACKAGE = '@walkeros/core'
/** The rolled-up declarations, without extension. */
const STEM = 'walkeros-core'
const IMPORT = /^import (?:type )?\{([^}]*)\} from '@walkeros\/core';$/gm
/** What the compiler writes for a type that it has inferred. */
const INFERRED = /import\("@walkeros\/core"\)\.(\w+)/g

/**
 * Rolls up the walkerOS types that the declarations use into one file, and points the declarations at it.
 *
 * The declarations of `@walkeros/core` have errors in any project that has neither Jest's types nor the DOM's, and a
 * project that checks its libraries (`skipLibCheck: false`) would see them. The types that are used here have none.
 *
 * @param outDir - The directory with the emitted declarations.
 * @throws If a declaration takes all of `@walkeros/core` rather than names from it.
 */
export async function inlineWalkerOS(outDir: string): Promise<void> {
  const names = new Set<string>()
  for (const file of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.cts')) continue
    const path = join(outDir, file)
    const text = readFileSync(path, 'utf8')
    const below = relative(dirname(path), join(outDir, `${STEM}.cjs`)).replaceAll('\\', '/')
    const module = below.startsWith('.') ? below : `./${below}`
    const rewritten = text
      .replace(IMPORT, (_whole, list: string) => {
        const imported = list.split(',').map((name) => name.replace('type ', '').trim())
        for (const name of imported) names.add(name)
        return `import type { ${imported.join(', ')} } from '${module}';`
      })
      .replace(INFERRED, (_whole, name: string) => {
        names.add(name)
        return `import("${module}").${name}`
      })
    if (/['"]@walkeros\/core['"]/.test(rewritten)) {
      throw new Error(`dist/${file} takes ${PACKAGE} in a form that is not rolled up: expected { names }`)
    }
    if (rewritten !== text) writeFileSync(path, rewritten)
  }
  writeFileSync(join(outDir, `${STEM}.d.cts`), await rollUp([...names].sort(), outDir))
}

/** @returns The declarations of some exports, and of all that they refer to. */
async function rollUp(names: readonly string[], outDir: string): Promise<string> {
  const work = mkdtempSync(join(outDir, 'rollup-'))
  try {
    writeFileSync(join(work, `${STEM}.ts`), `export type { ${names.join(', ')} } from '${PACKAGE}'\n`)
    await build({
      config: false,
      cwd: root,
      entry: { [STEM]: join(work, `${STEM}.ts`) },
      outDir: work,
      clean: false,
      format: 'esm',
      fixedExtension: false,
      dts: { emitDtsOnly: true },
      noExternal: [PACKAGE],
      inlineOnly: [PACKAGE],
      hash: false,
      logLevel: 'error',
      report: false,
    })
    const { version, author } = JSON.parse(
      readFileSync(join(root, 'node_modules', PACKAGE, 'package.json'), 'utf8'),
    )
    const notice = `// From ${PACKAGE} ${version}, MIT License, Copyright (c) ${author}: the types that are used here.\n`
    return notice + readFileSync(join(work, `${STEM}.d.ts`), 'utf8')
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
