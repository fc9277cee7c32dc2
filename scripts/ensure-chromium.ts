import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

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
  const found = findChromium()
  if (found) return found
  if (process.getuid?.() === 0 && isOnPath('apt-get')) {
    console.log('Chromium is missing and is being installed.')
    const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
    execFileSync('apt-get', ['update', '-qq'], options)
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options)
    const installed = findChromium()
    if (installed) return installed
  }
  throw new Error(
    'The browser tests need Chromium or Chrome. Install it (Debian: `apt-get install chromium` as root; ' +
      'macOS: `brew install --cask chromium`), or say where it is: CHROMIUM_PATH=/path/to/it npm run test:browser',
  )
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env
  if (CHROMIUM_PATH) return CHROMIUM_PATH
  return [...pathOf(NAMES), ...PLACES].find((file) => existsSync(file))
}

function isOnPath(name: string): boolean {
  return pathOf([name]).some((file) => existsSync(file))
}

function pathOf(names: readonly string[]): string[] {
  const directories = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => directories.map((directory) => join(directory, name)))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(ensureChromium())
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
