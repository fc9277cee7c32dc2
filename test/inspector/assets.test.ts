import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { root } from '../../scripts/entries.js'
import { ASSETS, ensureInspectorPage } from '../../scripts/inspector-page.js'

/** A clone's sources of the inspector, without what is made from them. */
function freshSources(): string {
  const repository = mkdtempSync(join(tmpdir(), 'reqtrack-page-'))
  onTestFinished(() => rmSync(repository, { recursive: true, force: true }))
  for (const name of ['tsconfig.json', 'src/inspector']) {
    cpSync(join(root, name), join(repository, name), { recursive: true })
  }
  rmSync(join(repository, ASSETS), { force: true })
  return repository
}

it('makes the page of a fresh clone, and again only after a source has changed', async () => {
  const repository = freshSources()
  const assets = join(repository, ASSETS)
  expect(await ensureInspectorPage(repository)).toBe(true)
  const made = readFileSync(assets, 'utf8')
  expect(made).toBe(readFileSync(join(root, ASSETS), 'utf8'))
  const { mtimeMs } = statSync(assets)
  expect(await ensureInspectorPage(repository)).toBe(false)
  expect(statSync(assets).mtimeMs).toBe(mtimeMs)

  appendFileSync(join(repository, 'src/inspector/page/styles.css'), '.changed {}\n')
  expect(await ensureInspectorPage(repository)).toBe(true)
  expect(readFileSync(assets, 'utf8')).toContain('.changed {}')
  appendFileSync(join(repository, 'src/inspector/page/client/main.ts'), "console.log('changed too')\n")
  expect(await ensureInspectorPage(repository)).toBe(true)
  expect(readFileSync(assets, 'utf8')).toContain('changed too')
})

it('lets any number make it at the same time, and leaves nothing else behind', async () => {
  const repository = freshSources()
  await Promise.all(Array.from({ length: 4 }, () => ensureInspectorPage(repository)))
  expect(readFileSync(join(repository, ASSETS), 'utf8')).toBe(readFileSync(join(root, ASSETS), 'utf8'))
  const names = readdirSync(join(repository, 'src/inspector/page')).sort()
  expect(names).toEqual(['assets.d.ts', 'assets.js', 'client', 'index.html', 'styles.css', 'tsconfig.json'])
})
