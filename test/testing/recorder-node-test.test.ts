import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

it('serves node:test', async () => {
  const file = fileURLToPath(new URL('./fixtures/orders.node-test.ts', import.meta.url))
  const args = ['--import', 'tsx', '--test', '--test-reporter=tap', file]
  // Vitest's own variables would tell the child that it is being tested.
  const { stdout } = await run(process.execPath, args, { env: { PATH: process.env.PATH } })
  expect(stdout).toMatch(/^# pass 1$/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})
