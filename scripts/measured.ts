// Parts of pages that are measured: `<!-- begin: made by COMMAND -->` … `<!-- end -->`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.js'

/**
 * Writes what a command has measured into a page of docs.
 *
 * @throws If the page has no place for it.
 */
export function writeMeasured(page: string, command: string, measured: string): void {
  const file = join(root, 'docs', page)
  const text = readFileSync(file, 'utf8')
  const begin = `<!-- begin: made by ${command} -->`
  const from = text.indexOf(begin)
  const to = text.indexOf('<!-- end -->', from)
  if (from < 0 || to < 0) throw new Error(`docs/${page} has no place for it: ${begin} and <!-- end -->`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${measured}\n${text.slice(to)}`)
}
