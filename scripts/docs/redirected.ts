// This package as the blocks of the documentation get it where they are run: nothing leaves the machine.
import { internalsOf } from '../../src/frameworks/adapter.js'
import * as reqtrack from '../../src/index.js'

export * from '../../src/index.js'

const made: reqtrack.Tracking[] = []
/** Those whose page shows them without a Segment to talk to: they are waited for once. */
const stuck = new WeakSet<reqtrack.Tracking>()
const SETTLE_MS = 3_000

/** Where the documentation says that `npx reqtrack sink` listens. */
const SINK = 'http://127.0.0.1:8787'

/** As the package's own, but for where it sends to. */
export function createTracking(config: reqtrack.TrackingConfig): reqtrack.Tracking {
  const host = process.env.SEGMENT_HOST
  const settings = isLocal(config?.settings?.host) ? config.settings : { ...config.settings, host }
  const tracking = reqtrack.createTracking({ ...config, settings })
  made.push(tracking)
  return tracking
}

/** Resolves when no request is open, and every event and call has its outcome. */
export async function settled(): Promise<void> {
  await Promise.all(made.filter((tracking) => !stuck.has(tracking)).map(settle))
}

async function settle(tracking: reqtrack.Tracking): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, SETTLE_MS, 'late').unref())
  const outcome = await Promise.race([internalsOf(tracking, 'settled').settled(), late])
  if (outcome === 'late') stuck.add(tracking)
}

/** Ends every tracking that was made. */
export async function shutDown(): Promise<void> {
  await Promise.all(made.map((tracking) => tracking.shutdown({ timeout: 500 })))
}

function isLocal(host: string | undefined): boolean {
  return host !== undefined && host !== SINK && /^http:\/\/(?:127\.0\.0\.1|localhost)(?::|\/|$)/.test(host)
}
