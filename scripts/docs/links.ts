import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path/posix'
import { root } from '../entries.js'
import { type Page, readPage } from './pages.js'
import type { Problem } from './problem.js'

/** Finds links that lead nowhere, and pages that nothing leads to. */
export function checkLinks(pages: readonly Page[]): Problem[] {
  const known = new Map(pages.map((page) => [page.path, page]))
  const reached = new Set<string>(['README.md'])
  const problems: Problem[] = []

  for (const page of pages) {
    for (const link of new Set(page.links)) {
      const problem = problemOf(page, link)
      if (problem)
        problems.push({ page: page.path, line: lineOf(page, link), message: `${link}: ${problem}` })
    }
  }
  for (const { path } of pages) {
    if (path.startsWith('docs/') && !reached.has(path)) {
      problems.push({ page: path, line: 1, message: 'no other page links to this one' })
    }
  }
  return problems

  function problemOf(page: Page, link: string): string | undefined {
    if (/^https?:/.test(link)) return URL.canParse(link) ? undefined : 'this is no URL'
    if (/^[a-z]+:/i.test(link)) return undefined
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page.path : normalize(join(dirname(page.path), decodeURI(path)))
    const isThere = known.has(target) || (!target.startsWith('..') && existsSync(join(root, target)))
    if (!isThere) return `there is no ${target}`
    if (target !== page.path) reached.add(target)
    if (anchor === undefined || !target.endsWith('.md')) return undefined
    const { anchors } = known.get(target) ?? readPage(target)
    return anchors.has(anchor) ? undefined : `${target} has no heading #${anchor}`
  }
}

function lineOf(page: Page, link: string): number {
  return page.text.slice(0, page.text.indexOf(link)).split('\n').length
}
