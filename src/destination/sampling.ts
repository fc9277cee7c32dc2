import { createHash } from 'node:crypto'
import type { SegmentContext } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'

/** Six bytes are the most that a number holds exactly. */
const HASH_BYTES = 6
const HASH_RANGE = 2 ** (8 * HASH_BYTES)

/**
 * Whether a visitor belongs to a sample. The answer depends on the id alone: it is the same for every event, on every
 * machine, and whoever is in a smaller sample is in every larger one.
 *
 * @param rate - The share of visitors in the sample, from 0 to 1.
 */
export function isInSample(visitor: string, rate: number): boolean {
  const digest = createHash('sha256').update(visitor).digest()
  return digest.readUIntBE(0, HASH_BYTES) / HASH_RANGE < rate
}

/** Adds the rate of a sample to a call's context, so that counts can be extrapolated: `sampling.rate`. */
export function withSampling(context: SegmentContext | undefined, rate: number): SegmentContext {
  const sampling = isRecord(context?.sampling) ? context.sampling : undefined
  return { ...context, sampling: { ...sampling, rate } }
}
