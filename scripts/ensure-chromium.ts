import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { findOnPath, installDebianPackage } from './debian-package.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
/** Where installers put it without telling the shell. */
const PLACES = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/snap/bin/chromium']

/**
 * Finds a Chromium for the browser tests: `CHROMIUM_PATH`, or the first on the `PATH`. Where there is none, it is
 * installed on Debian and its like, if we may.
 *
 * @returns Its file.
 * @throws If there is none and it cannot be installed, with what to do about it.
 */
export function ensureChromium(): string {
  const file = findChromium() ?? (installDebianPackage('chromium') ? findChromium() : undefined)
  if (file) return file
  throw new Error(
    'The browser tests need Chromium or Chrome. Install it (Debian: `apt-get install chromium` as root; ' +
      'macOS: `brew install --cask chromium`), or say where it is: CHROMIUM_PATH=/path/to/it npm run test:browser',
  )
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env
  if (CHROMIUM_PATH) return CHROMIUM_PATH
  return findOnPath(NAMES) ?? PLACES.find((file) => existsSync(file))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(ensureChromium())
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
