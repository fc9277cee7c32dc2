import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { assetsFile, makeAssets } from '../../scripts/inspector-page.js'

it('has the page that its files make: after a change, run `npm run inspector:page`', async () => {
  expect(readFileSync(assetsFile, 'utf8')).toBe(await makeAssets())
})
