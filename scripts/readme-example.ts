import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './entries.js'

/** The README's first example, ready to run against a local Segment endpoint. */
export interface Example {
  /** As the README has it, but for the endpoint (`SEGMENT_HOST`) and the port (`PORT`), which come from the environment. */
  readonly typescript: string
  /** The path to post an order to. */
  readonly route: string
}

/**
 * Takes the first TypeScript block of the README that is an Express application.
 *
 * @throws If there is none, or it cannot be pointed at another endpoint and port.
 */
export function readExample(): Example {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```(?:ts|typescript)\s*\n(.*?)^```/gms)].map(([, block = '']) => block)
  const block = blocks.find((block) => block.includes("'reqtrack/express'"))
  if (!block) throw new Error("README.md has no ts block that imports 'reqtrack/express'")
  const route = /\.post\(\s*'([^']+)'/.exec(block)?.[1]
  if (!route) throw new Error("README.md: the first example has no app.post('/…') to send an order to")
  const pointed = replaceOnce(block, /\bsettings:\s*\{/, 'settings: { host: process.env.SEGMENT_HOST ?? "",')
  const typescript = block.includes('process.env.PORT')
    ? pointed
    : replaceOnce(pointed, /\.listen\(\s*\d+/, '.listen(Number(process.env.PORT)')
  return { typescript, route }
}

/** @returns The example as a user without TypeScript would write it. */
export function asJavaScript({ typescript }: Example, format: 'esm' | 'cjs'): string {
  return ts.transpileModule(typescript, {
    fileName: format === 'esm' ? 'main.mts' : 'main.cts',
    compilerOptions: {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      esModuleInterop: true,
    },
  }).outputText
}

function replaceOnce(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text)) throw new Error(`README.md: the first example has nothing like ${pattern}`)
  return text.replace(pattern, replacement)
}
