import type { Tracker } from '../model/tracker.js'

/**
 * The key under which the tracker of a run has the tracker that was ambient where the run began, or `undefined`. It marks
 * such a tracker for other copies of this package, too: an application that imports and requires it loads two.
 */
export const runMark = Symbol.for('reqtrack.run.1')

/** Whether a tracker is that of a run. */
export function isRun(tracker: object): boolean {
  return runMark in tracker
}

/** The tracker that was ambient where a run began; `undefined` for a tracker of anything else. */
export function aroundRun(tracker: object): Tracker | undefined {
  return isMarked(tracker) ? tracker[runMark] : undefined
}

function isMarked(tracker: object): tracker is { readonly [runMark]: Tracker | undefined } {
  return isRun(tracker)
}
