import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkTypes } from '../../scripts/docs/compile.js'
import { modulesOf, outsideNames } from '../../scripts/docs/modules.js'
import { pageOf } from '../../scripts/docs/pages.js'
import { root } from '../../scripts/entries.js'

const standIns = join(root, 'scripts', 'docs', 'stand-ins.ts')

describe('an application in the documentation', () => {
  const imports = "import express from 'express'\nimport { createTracking } from 'reqtrack'\n"
  const body = "createTracking({ settings: { writeKey: 'k' } })\nexpress().listen(3000)\n"
  const check = (...blocks: string[]) => {
    const text = blocks.map((block) => `\`\`\`ts\n${block}\`\`\`\n`).join('\n')
    return checkTypes(
      modulesOf(pageOf('docs/made-up.md', text).blocks, outsideNames(standIns), true),
      standIns,
    )
  }

  it('gets nothing that does not stand in it', () => {
    expect(check(imports + body)).toEqual([])
    expect(check(imports, body).map(({ message }) => message)).toEqual([
      expect.stringContaining("Cannot find name 'createTracking'"),
      expect.stringContaining("Cannot find name 'express'"),
    ])
  })

  it('is told from a part of one, which sees what stands before it', () => {
    expect(check(imports, 'const app = express()\napp.use(expressTracking(tracking))\n')).toEqual([])
  })
})
