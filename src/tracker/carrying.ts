import type { WalkerOS } from '@walkeros/core'
import type { Carried } from '../model/carried.js'
import type { Identity } from '../model/identity.js'
import type { SegmentContext } from '../model/segment-call.js'

/** The most bytes of JSON that are carried: payloads of queues are kept small. */
const MAX_BYTES = 2 * 1024

/** What is known of a scope when it is carried. */
export interface Known {
  readonly identity: Identity
  readonly consent: WalkerOS.Consent
  readonly trace: string
  /** When the choices were known, in milliseconds since 1970. */
  readonly at: number
  readonly context: SegmentContext | undefined
}

/** Puts together what is carried. Ids and refusals always are; of the context as much as has room. */
export function carriedOf({ identity, consent, trace, at, context }: Known): Carried {
  const carried: Carried = { v: 1, at, ...identity, consent, trace }
  if (!context) return carried
  for (const part of smallerAndSmaller(context)) {
    const whole = { ...carried, context: part }
    if (Buffer.byteLength(JSON.stringify(whole)) <= MAX_BYTES) return whole
  }
  return carried
}

/** The context, then without the parts that are long and tell least. */
function* smallerAndSmaller(context: SegmentContext): Generator<SegmentContext> {
  const { consent: _, ...whole } = context
  yield whole
  const { page: __, ...withoutPage } = whole
  yield withoutPage
  const { userAgent: ___, ...withoutAgent } = withoutPage
  yield withoutAgent
  const { campaign: ____, ...least } = withoutAgent
  yield least
}
