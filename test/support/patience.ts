import { vi } from 'vitest'

// Loaded before every test file. A second, which is vitest's default, says more about a busy machine than about the code: what
// is waited for comes, or the test's own limit ends it.
const PATIENCE = { timeout: 15_000 }
const { waitFor, waitUntil } = vi
vi.waitFor = (assertion, options = PATIENCE) => waitFor(assertion, withPatience(options))
vi.waitUntil = (condition, options = PATIENCE) => waitUntil(condition, withPatience(options))

function withPatience<Options extends object>(options: number | Options): number | Options {
  return typeof options === 'number' ? options : { ...PATIENCE, ...options }
}
