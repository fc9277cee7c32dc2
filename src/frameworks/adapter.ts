import type { Track, Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { internals, type TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'

/**
 * Gives an adapter the internals of its tracking.
 *
 * @param adapter - The adapter's name, for the error.
 * @param example - How it is mounted, for the error.
 * @throws TypeError for anything else, most often because the adapter was mounted without being called.
 */
export function internalsOf(
  tracking: Tracking,
  adapter: string,
  example = `app.use(${adapter}(tracking))`,
): TrackingInternals {
  const inside = hasInternals(tracking) ? tracking[internals] : undefined
  if (inside) return inside
  const given = isRequest(tracking) ? 'a request' : tracking === null ? 'null' : typeof tracking
  throw new TypeError(
    `${adapter}() was given ${given}: expected what createTracking() returns, as in ${example}`,
  )
}

const MOUNTED_TWICE =
  'two trackings are mounted on one request: its `track` and `tracker` are from the one that was mounted last. ' +
  'Mount one of them, and get the tracker of the other by its handle(req, res).'

/** Puts a request's tracker where its handlers look for it. A request that cannot take it is reported, and goes on without. */
export function expose(
  tracker: Tracker,
  target: { track?: Track; tracker?: Tracker },
  { fault, mistake }: TrackingInternals,
): void {
  try {
    const before = target.tracker
    if (before && before !== tracker && messageOf(before) === messageOf(tracker)) mistake(MOUNTED_TWICE)
    target.tracker = tracker
    target.track = tracker.track
  } catch (error) {
    fault('the tracker could not be put on a request, which is frozen or has a `track` of its own', error)
  }
}

/** Whether a value is a tracking of this package. */
export function hasInternals(value: unknown): value is { readonly [internals]: TrackingInternals } {
  return typeof value === 'object' && value !== null && internals in value
}

function isRequest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'headers' in value && 'method' in value
}
