import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('are not opened by loading the package: that would change how the application writes to them', async () => {
  const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
  const script = `
    const opened = []
    for (const name of ['stdin', 'stdout']) {
      Object.defineProperty(process, name, { configurable: true, get: () => void opened.push(name) })
    }
    await import(${JSON.stringify(index)})
    const { writeSync } = await import('node:fs')
    writeSync(1, JSON.stringify(opened))
    process.reallyExit(0)`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(JSON.parse(stdout)).toEqual([])
})
