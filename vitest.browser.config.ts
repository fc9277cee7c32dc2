import { defineConfig } from 'vitest/config'

// Tests that need a Chromium, apart from those that run anywhere.
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.browser.ts'],
    globalSetup: ['scripts/inspector-page.ts', 'test/inspector/chromium-setup.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
