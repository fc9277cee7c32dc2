import { runMark } from '../context/run-mark.js'
import type { Tracker } from '../model/tracker.js'
import type { GivenSender } from './given-sender.js'
import type { ScopeHost } from './scope.js'
import { SenderTracker } from './sender-tracker.js'

/** The tracker of a run: it ends with the run's work. */
export class RunTracker extends SenderTracker {
  readonly kind = 'run'
  readonly [runMark]: Tracker | undefined

  /** @param around - The tracker that is ambient where the run begins. */
  constructor(host: ScopeHost, sender: GivenSender, around: Tracker | undefined) {
    super(host, sender)
    this[runMark] = around
  }
}
