import { vi } from 'vitest'
import { PATIENCE_MS } from './patience-ms.js'

// Loaded before every test file.
const PATIENCE = { timeout: PATIENCE_MS }
const { waitFor, waitUntil } = vi
vi.waitFor = (assertion, options = PATIENCE) => waitFor(assertion, withPatience(options))
vi.waitUntil = (condition, options = PATIENCE) => waitUntil(condition, withPatience(options))

function withPatience<Options extends object>(options: number | Options): number | Options {
  return typeof options === 'number' ? options : { ...PATIENCE, ...options }
}
