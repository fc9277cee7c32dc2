import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { PATIENCE_MS } from './test/support/patience-ms.js'

export default defineConfig({
  // Tests and examples import the package by its name; they get its sources.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // What is made from other sources and not committed, and what is installed where it may be.
    globalSetup: ['scripts/inspector-page.ts', 'test/support/redis-setup.ts'],
    setupFiles: ['test/support/patience.ts'],
    pool: 'forks',
    // Much of a test's time is waiting: for retries, time limits and processes. One worker would leave a machine of two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    hookTimeout: 20_000,
  },
})
