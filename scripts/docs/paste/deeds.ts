import type { Block, Page } from '../pages.js'

/** What a reader does with a block of a page, by the rules of `docs/README.md`. */
export type Deed = { readonly line: number } & (
  | ({ readonly kind: 'save' } & SavedFile)
  /** Into the application of the page: the one that was saved last, or that of Getting started. */
  | { readonly kind: 'paste'; readonly text: string; readonly throws: boolean }
  | { readonly kind: 'type'; readonly text: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'compare'; readonly what: Outcome; readonly text: string }
)

/** A block that is a file of its own. */
export interface SavedFile {
  readonly file: string
  readonly text: string
  /** What to type to start it. None for a file that others read. */
  readonly start: string | undefined
  /** Whether it stands aside, folded or a script beside a server: what follows goes on with the file before. */
  readonly isAside: boolean
}

/** What a page shows of what comes: at Segment, of the application, of its failure, of the commands before. */
export type Outcome = 'calls' | 'output' | 'error' | 'prints'

/** A page as what is to be done, in order. */
export function deedsOf(page: Page): Deed[] {
  const lines = page.text.split('\n')
  let end = 0
  let hasServer = false
  return page.blocks.flatMap((block) => {
    const said = lines.slice(end, block.line - 2).join('\n')
    end = block.line + block.text.split('\n').length - 1
    const [after = ''] = lines
      .slice(end)
      .join('\n')
      .split(/\n```|[Ss]ave this as/)
    const before = lines.slice(0, block.line).join('\n')
    const isFolded = before.lastIndexOf('<details>') > before.lastIndexOf('</details>')
    const isAside = isFolded || (hasServer && !isServer(block.text))
    hasServer ||= !isFolded && block.language === 'ts' && isServer(block.text)
    return [...saidDeeds(said, block.line), ...deedOf(block, said, after, isAside)]
  })
}

/** What a sentence asks for: a package (`npm install express-session`), or to stop what runs. */
function saidDeeds(said: string, line: number): Deed[] {
  const stop: Deed[] = /\b[Ss]top the application\b/.test(said) ? [{ kind: 'stop', line }] : []
  const installs = [...said.matchAll(/`(npm install [^`]+)`/g)]
  return [...stop, ...installs.map(([, text = '']): Deed => ({ kind: 'type', line, text }))]
}

function deedOf(block: Block, said: string, after: string, isAside: boolean): Deed[] {
  const { line, text, language, words } = block
  // A clone is what the checks themselves run in.
  if (language === 'sh') return text.includes('npm ci') ? [] : [{ kind: 'type', line, text }]
  const [what] = words
  if (language === 'text' && isOutcome(what)) return [{ kind: 'compare', line, what, text }]
  const file = fileOf(block, said)
  if (file !== undefined) {
    const start = startOf(file, text, `${paragraphOf(said)}\n${after}`)
    return [{ kind: 'save', line, file, text, start, isAside }]
  }
  return language === 'ts' ? [{ kind: 'paste', line, text, throws: what === 'throws' }] : []
}

function isOutcome(word: string | undefined): word is Outcome {
  return word === 'calls' || word === 'output' || word === 'error' || word === 'prints'
}

/** The name that the page gives a file, or the one that every application has. */
function fileOf({ language, text }: Block, said: string): string | undefined {
  const [, named] =
    /\b[Ss]ave (?:this|it) as `([\w./-]+)`/.exec(paragraphOf(said)) ??
    /^\/\/ ([\w/-]+\.[cm]?[jt]s)\n/.exec(text) ??
    []
  if (named !== undefined) return named
  if (!isWhole(text)) return undefined
  if (language === 'ts') return 'app.ts'
  return language === 'js' ? (text.includes('require(') ? 'app.cjs' : 'app.mjs') : undefined
}

/** The command that starts a file, as the page has it. None for a file that others read. */
function startOf(file: string, text: string, around: string): string | undefined {
  const [, said] = /\b[Ss]tart it with `([^`]+)`/.exec(around) ?? []
  if (said !== undefined) return said
  if (!isWhole(text)) return undefined
  return file.endsWith('.ts') ? `npx tsx ${file}` : `node ${file}`
}

/** @returns The paragraph that leads to the block. */
function paragraphOf(said: string): string {
  return said.trimEnd().split('\n\n').at(-1) ?? ''
}

/** Whether a block is a file of its own: it makes its server, or its tracking, with what it imports itself. */
function isWhole(text: string): boolean {
  return isServer(text) || makes(text, 'createTracking')
}

/** Whether a block is an application that listens. */
function isServer(text: string): boolean {
  const listens = /\.listen\(|\bserve\(\{/.test(text)
  return listens && makes(text, 'createServer|express|fastify|Koa|Hono|NestFactory')
}

/** Whether a block calls one of these, and imports it itself. */
function makes(text: string, factories: string): boolean {
  const imports = text
    .split('\n')
    .filter((line) => /^(?:import (?!type )|const .*\brequire\()/.test(line))
    .join('\n')
  const calls = [...text.matchAll(new RegExp(`\\b(${factories})(?:\\.create)?\\(`, 'g'))]
  return calls.some(([, factory]) => new RegExp(`\\b${factory}\\b`).test(imports))
}
