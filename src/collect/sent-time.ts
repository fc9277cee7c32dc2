import { readTimestamp } from '../model/timestamp.js'

/** Browsers keep events while they are offline; older ones than this are not believed. */
const MAX_AGE_MS = 24 * 3_600_000

/**
 * The time of an event by the server's clock: what passed between the event and its sending, by the client's clock, is
 * taken off the arrival.
 *
 * @param timestamp - When it happened, by the client's clock.
 * @param sentAt - When it was sent, by the same clock; unknown, the client's clock is believed.
 * @param arrivedAt - When it arrived, in milliseconds since 1970.
 * @returns Never the future, and never more than 24 hours before the arrival: the arrival stands for such times.
 */
export function sentTime(timestamp: unknown, sentAt: unknown, arrivedAt: number): number {
  const happened = readTimestamp(timestamp)
  if (happened === undefined) return arrivedAt
  const corrected = happened + (arrivedAt - (readTimestamp(sentAt) ?? arrivedAt))
  return corrected <= arrivedAt && corrected >= arrivedAt - MAX_AGE_MS ? corrected : arrivedAt
}
