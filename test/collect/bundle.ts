import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

/** Makes one script for browsers of a page of these tests and the packages that it imports. */
export async function bundle(page: 'analytics-js' | 'walkeros'): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'reqtrack-page-'))
  try {
    await build({
      config: false,
      entry: { script: fileURLToPath(new URL(`pages/${page}.ts`, import.meta.url)) },
      outDir,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      noExternal: [/./],
      env: { NODE_ENV: 'production' },
      dts: false,
      sourcemap: false,
      hash: false,
      logLevel: 'silent',
      report: false,
      outputOptions: { entryFileNames: '[name].js', codeSplitting: false },
    })
    return readFileSync(join(outDir, 'script.js'), 'utf8')
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
