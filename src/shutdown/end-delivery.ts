import { type Delivery, type Ledger, sum } from '../delivery/index.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import { performance } from '../support/clock.js'

/** What the end of a delivery has come to. */
export interface DeliveryEnd {
  readonly report: ShutdownReport
  /** How many calls were given up for it, those made on the client itself included. */
  readonly lost: number
}

/**
 * Sends the rest, closes a delivery, and draws its balance.
 *
 * @param startedAt - When the shutdown began, by the monotonic clock.
 */
export async function endDelivery(
  delivery: Delivery,
  ledger: Ledger,
  timeoutMs: number,
  startedAt: number,
): Promise<DeliveryEnd> {
  const failedBefore = sum(ledger.stats().calls.failed)
  const { lost, kept, directPending } = await delivery.close(timeoutMs)
  const { events, calls } = ledger.stats()
  const failed = sum(calls.failed)
  const pending = lost + directPending
  const report: ShutdownReport = {
    delivered: calls.delivered,
    failed: failed - lost + delivery.directFailed,
    dropped: sum(events.dropped),
    pending,
    kept,
    durationMs: Math.round(performance.now() - startedAt),
    timedOut: pending > 0,
  }
  return { report, lost: failed - failedBefore + delivery.directFailed }
}

/** @returns A function that tells how many of the milliseconds are left. */
export function countdown(ms: number): () => number {
  const deadline = performance.now() + ms
  return () => Math.max(0, deadline - performance.now())
}
