import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import GithubSlugger from 'github-slugger'
import { lexer, type Token, walkTokens } from 'marked'
import { root } from '../entries.js'

/** A fenced block of a page. */
export interface Block {
  /** The page's path, from the repository's root. */
  readonly page: string
  /** The line of the page on which the block's text begins, from 1. */
  readonly line: number
  /** The first word after the fence: `ts`, `sh`, `text`. */
  readonly language: string
  /** The words after it, such as `throws` or `calls`. */
  readonly words: readonly string[]
  readonly text: string
}

/** A Markdown page. */
export interface Page {
  /** From the repository's root, with `/`. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** The targets of its links and images, as they are written. */
  readonly links: readonly string[]
  /** What can follow `#` in a link to this page. */
  readonly anchors: ReadonlySet<string>
}

const FOLDERS = ['', 'docs/']

/** @returns The pages that are checked: those at the top, and those of `docs/`. */
export function readPages(): Page[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => readPage(`${folder}${name}`)),
  )
}

/** @param path - From the repository's root. */
export function readPage(path: string): Page {
  return pageOf(path, readFileSync(join(root, path), 'utf8'))
}

/** Takes a page apart. */
export function pageOf(path: string, text: string): Page {
  return { path, text, blocks: blocksOf(path, text), ...referencesOf(text) }
}

/** @returns The fenced blocks, in their order. */
function blocksOf(page: string, text: string): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index++) {
    const [, indent = '', fence, info = ''] = /^( *)(`{3,})(.*)$/.exec(lines[index] ?? '') ?? []
    if (fence === undefined) continue
    const end = lines.findIndex((line, at) => at > index && line.trim() === fence)
    if (end < 0) throw new Error(`${page}:${index + 1}: the block is not closed`)
    const [language = '', ...words] = info.trim().split(/\s+/)
    const inside = lines
      .slice(index + 1, end)
      .map((line) => line.slice(Math.min(indent.length, indentOf(line))))
    blocks.push({ page, line: index + 2, language, words, text: inside.map((line) => `${line}\n`).join('') })
    index = end
  }
  return blocks
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

function referencesOf(text: string): Pick<Page, 'links' | 'anchors'> {
  const links: string[] = []
  const anchors = new Set<string>()
  const slugger = new GithubSlugger()
  walkTokens(lexer(text), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(String(token.href))
    if (token.type === 'html') {
      for (const [, target = ''] of token.raw.matchAll(/\b(?:src|href|srcset)="([^"]*)"/g)) links.push(target)
      for (const [, id = ''] of token.raw.matchAll(/\b(?:id|name)="([^"]*)"/g)) anchors.add(id)
    }
    if (token.type === 'heading') anchors.add(slugger.slug(plainText(token.tokens ?? [])))
  })
  return { links, anchors }
}

function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plainText(token.tokens) : 'text' in token ? token.text : '',
    )
    .join('')
}
