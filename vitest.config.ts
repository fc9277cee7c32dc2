import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Tests and examples import the package by its name; they get its sources.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // What is made from other sources and not committed, and what is installed where it may be.
    globalSetup: ['scripts/inspector-page.ts', 'test/support/redis-setup.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
