import { type Browser, chromium } from 'playwright-core'
import { ensureChromium } from '../../scripts/ensure-chromium.js'

/**
 * Starts a Chromium with a profile of its own, that asks nobody on the network for anything.
 *
 * @param further - Arguments besides those that every test needs.
 */
export function launchChromium(further: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: ensureChromium(),
    headless: true,
    args: [
      // Chromium's sandbox does not work as root, which is what containers run tests as.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...further,
    ],
  })
}
