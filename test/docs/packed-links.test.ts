import { describe, expect, it } from 'vitest'
import { pageOf } from '../../scripts/docs/pages.js'
import { packedLinkProblems } from '../../scripts/packed-links.js'

describe('links in the package', () => {
  const texts: Record<string, string> = {
    'README.md':
      '[all](docs/README.md) ![picture](docs/images/a.png) [self](#here) [out](https://example.com)\n\n# Here\n',
    'docs/README.md': '[back](../README.md#here) [gone](../src/index.ts) [nowhere](../README.md#there)',
  }
  const read = (path: string) => pageOf(path, texts[path] ?? '')

  it('lead to what is packed', () => {
    const files = ['README.md', 'docs/README.md', 'docs/images/a.png', 'dist/index.js']
    expect(packedLinkProblems(files, read)).toEqual([
      'docs/README.md: ../src/index.ts: src/index.ts is not in the package',
      'docs/README.md: ../README.md#there: README.md has no heading #there',
    ])
    expect(packedLinkProblems(['README.md'], read)).toEqual([
      'README.md: docs/README.md: docs/README.md is not in the package',
      'README.md: docs/images/a.png: docs/images/a.png is not in the package',
    ])
  })
})
