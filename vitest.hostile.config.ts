import { defineConfig } from 'vitest/config'

// Generated attacks, apart from the tests that run at every change: they take two minutes, and as long as one lets them.
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/hostile/**/*.hostile.ts'],
    pool: 'forks',
    // What one file measures, another would disturb.
    fileParallelism: false,
    testTimeout: process.env.HOSTILE_RUNS ? 0 : 240_000,
    hookTimeout: 20_000,
  },
})
