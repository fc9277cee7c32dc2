import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Tests and examples import the package by its name; they get its sources.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // What is made from other sources, and not committed.
    globalSetup: ['scripts/inspector-page.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
