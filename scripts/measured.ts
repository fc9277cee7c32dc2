// Parts of pages that are measured: `<!-- begin: made by COMMAND -->` … `<!-- end -->`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.js'

/**
 * Reads what a command has written into a page of docs.
 *
 * @throws If the page has no place for it.
 */
export function partMeasured(page: string, command: string): string {
  const { text, from, to } = placeIn(page, command)
  return text.slice(from, to).trim()
}

/**
 * Writes what a command has measured into a page of docs.
 *
 * @throws If the page has no place for it.
 */
export function writeMeasured(page: string, command: string, measured: string): void {
  const { file, text, from, to } = placeIn(page, command)
  writeFileSync(file, `${text.slice(0, from)}\n${measured}\n${text.slice(to)}`)
}

function placeIn(page: string, command: string) {
  const file = join(root, 'docs', page)
  const text = readFileSync(file, 'utf8')
  const begin = `<!-- begin: made by ${command} -->`
  const at = text.indexOf(begin)
  const to = text.indexOf('<!-- end -->', at)
  if (at < 0 || to < 0) throw new Error(`docs/${page} has no place for it: ${begin} and <!-- end -->`)
  return { file, text, from: at + begin.length, to }
}
