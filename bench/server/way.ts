import type { IncomingMessage } from 'node:http'
import type { Tracker, Tracking } from '../../src/index.js'
import type { ServerOptions } from './options.js'

/** What a framework has of a request that a handler's calls need. */
export interface Seen {
  readonly message: IncomingMessage
  readonly ip: string | undefined
  /** The request's tracker, where the tracking is mounted. */
  readonly tracker: Tracker | undefined
}

/** One way to track. */
export interface Way {
  /** The tracking to mount, if any. */
  readonly tracking?: Tracking
  /** What the handler does, by the kind of scenario. */
  readonly act?: (seen: Seen) => void
  /** What has been booked, where somebody keeps books. */
  books?(): unknown
}

/** The options of a client of Segment's, ours or the SDK's: each has its own default for the size of a batch. */
export function clientOptions({ host, flushAt, flushInterval }: ServerOptions) {
  return { writeKey: 'bench', host, flushInterval, ...(flushAt !== undefined && { flushAt }) }
}

/** What a handler of the kind `awaits` waits for. */
export async function twentyTimes(): Promise<void> {
  for (let time = 0; time < 20; time++) await undefined
}
