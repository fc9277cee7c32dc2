import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TrackingConfig } from '../../src/config/config.js'
import {
  createTracking,
  type SegmentClient,
  type Sender,
  type Tracker,
  type Tracking,
} from '../../src/index.js'
import { CONFIG, consentIn, ORDER } from '../shop.js'
import type { Work } from './measure.js'
import { type Exchange, end, exchange, HEADERS } from './requests.js'
import { SegmentStub } from './segment-stub.js'

/** As many requests, or runs, as a busy process ends in one turn of its event loop. */
const REQUESTS_A_TURN = 8

/** A tracking whose calls end where the SDK begins. */
export interface StubbedTracking {
  readonly tracking: Tracking
  readonly stub: SegmentStub
}

export function stubbed(config: Partial<TrackingConfig> = {}): StubbedTracking {
  const stub = new SegmentStub()
  const analytics: unknown = stub
  const tracking = createTracking({ ...CONFIG, ...config, env: { analytics: analytics as SegmentClient } })
  return { tracking, stub }
}

/** What a handler does with its tracker. */
export type Handler = (tracker: Tracker, request: number) => void

export const trackOrder: Handler = (tracker) => tracker.track('order complete', ORDER)

/** So many requests, the calls that they make, and who each of them is from. */
export interface Amount {
  readonly requests: number
  readonly calls: number
  readonly user?: (request: number) => string
}

/** Requests that are handled, end and are dispatched up to the SDK's own methods. */
export function handled(
  { tracking, stub }: StubbedTracking,
  handler: Handler,
  amount: Amount,
): Work<Exchange[]> {
  const { requests, calls, user } = amount
  return {
    prepare: () => Array.from({ length: requests }, (_, request) => exchange(user?.(request))),
    async run(exchanges) {
      const made = stub.more(calls)
      for (const [index, one] of exchanges.entries()) {
        handler(tracking.handle(one.request, one.response), index)
        end(one)
        if (index % REQUESTS_A_TURN === REQUESTS_A_TURN - 1) await nextTurn()
      }
      // The last batch is not full: without it being asked for it would wait for its time.
      await Promise.all([made, tracking.flush({ timeout: 60_000 })])
    },
  }
}

/** The person of the requests, as a job says it. */
function senderOfARun(): Sender {
  return { name: 'bench', user: { id: HEADERS['x-user-id'] ?? '' }, consent: consentIn(HEADERS) }
}

/** Runs outside of requests, by asynchronous work as of a job, that are dispatched up to the SDK's own methods. */
export function ran({ tracking, stub }: StubbedTracking, handler: Handler, amount: Amount): Work<Sender[]> {
  const { requests: runs, calls } = amount
  return {
    prepare: () => Array.from({ length: runs }, senderOfARun),
    async run(senders) {
      const made = stub.more(calls)
      for (const [index, sender] of senders.entries()) {
        void tracking.run(sender, async (tracker) => handler(tracker, index))
        if (index % REQUESTS_A_TURN === REQUESTS_A_TURN - 1) await nextTurn()
      }
      await Promise.all([made, tracking.flush({ timeout: 60_000 })])
    },
  }
}

/** Requests that end without having tracked anything. */
export function idle(tracking: Tracking, requests: number): Work<Exchange[]> {
  return {
    prepare: () => Array.from({ length: requests }, () => exchange()),
    run(exchanges) {
      for (const one of exchanges) {
        tracking.handle(one.request, one.response)
        end(one)
      }
    },
  }
}

/** The same without a tracking: what the requests themselves cost. */
export function untracked(requests: number): Work<Exchange[]> {
  return {
    prepare: () => Array.from({ length: requests }, () => exchange()),
    run(exchanges) {
      for (const one of exchanges) end(one)
    },
  }
}
