import type { WalkerOS } from '@walkeros/core'
import type { Maybe } from '../support/maybe.js'
import type { SegmentContext } from './segment-call.js'

/** Who tracks outside of a request: in a job, a webhook, a socket, a script. */
export interface Sender {
  /** Shown by the inspector and the log, such as `invoice worker`. */
  name?: string
  /** `id` is the userId, `session` the anonymousId; the rest describes the person. */
  user?: WalkerOS.User
  /**
   * The person's choices. Unknown is not granted. A function is asked for every event, since a socket lives for hours: one
   * that throws, or takes over two seconds, leaves all choices unknown.
   */
  consent?: WalkerOS.Consent | (() => Maybe<WalkerOS.Consent>)
  /** Segment's `context`, such as `{ ip, userAgent }`. A `referrer` with a click id is sent only with `marketing` granted. */
  context?: SegmentContext
  /** 32 hex digits, or a W3C `traceparent`: the events then belong to that trace. */
  trace?: string
}
