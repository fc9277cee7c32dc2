import { ensureChromium } from '../../scripts/ensure-chromium.js'

/** Before all browser tests: installing takes longer than a test may. */
export default function setup(): void {
  ensureChromium()
}
