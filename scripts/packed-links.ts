import { dirname, join, normalize } from 'node:path/posix'
import type { Page } from './docs/pages.js'

/**
 * Finds links of a package's pages that lead to what is not in the package, or to a heading that a page does not have.
 *
 * @param files - The files of the package, below its folder.
 * @param read - Reads a page of it.
 */
export function packedLinkProblems(
  files: readonly string[],
  read: (path: string) => Pick<Page, 'links' | 'anchors'>,
): string[] {
  const packed = new Set(files)
  const pages = files.filter((file) => file.endsWith('.md'))
  return pages.flatMap((page) => {
    const { links } = read(page)
    return [...new Set(links)].flatMap((link) => {
      if (/^[a-z]+:/i.test(link)) return []
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)))
      if (!packed.has(target)) return [`${page}: ${link}: ${target} is not in the package`]
      if (anchor === undefined || !target.endsWith('.md')) return []
      return read(target).anchors.has(anchor) ? [] : [`${page}: ${link}: ${target} has no heading #${anchor}`]
    })
  })
}
