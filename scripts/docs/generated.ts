import { configurationParts } from './configuration.js'
import { mappingParts } from './mapping.js'
import type { Page } from './pages.js'
import type { Problem } from './problem.js'

/** The parts of pages that are made from the sources: `<!-- generated: settings -->` … `<!-- end -->`. */
const parts: Readonly<Record<string, () => string | Promise<string>>> = {
  ...configurationParts,
  ...mappingParts,
}

const PART = /^<!-- generated: ([^\n]+) -->\n.*?^<!-- end -->$/gms

/** @returns The page's text with its generated parts as the sources have them. */
export async function regenerated({ path, text }: Page): Promise<string> {
  let result = ''
  let from = 0
  for (const match of text.matchAll(PART)) {
    const [whole, name = ''] = match
    const part = parts[name]
    if (!part)
      throw new Error(`${path}: nothing generates "${name}"; known are ${Object.keys(parts).join(', ')}`)
    result += `${text.slice(from, match.index)}<!-- generated: ${name} -->\n\n${await part()}\n\n<!-- end -->`
    from = match.index + whole.length
  }
  return result + text.slice(from)
}

/** Finds pages that are behind the sources, and options that no page has. */
export async function checkGenerated(pages: readonly Page[]): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const page of pages) {
    const fresh = await regenerated(page)
    if (fresh === page.text) continue
    const line = fresh.split('\n').findIndex((text, index) => text !== page.text.split('\n')[index]) + 1
    problems.push({ page: page.path, line, message: 'is behind the sources: run npm run docs:generate' })
  }
  const used = new Set(pages.flatMap(({ text }) => [...text.matchAll(PART)].map(([, name]) => name)))
  for (const name of Object.keys(parts)) {
    if (!used.has(name))
      problems.push({ page: 'docs', line: 1, message: `no page has the generated part "${name}"` })
  }
  return problems
}
