import type { WalkerOS } from '@walkeros/core'
import type { Carried } from '../model/carried.js'
import { type Identity, identityOf } from '../model/identity.js'
import type { SegmentContext } from '../model/segment-call.js'
import type { Reporter } from '../observe/reporter.js'
import { knownIdentity, settlePerson } from '../request/person.js'
import { performance } from '../support/clock.js'
import type { Scope } from './scope.js'

/** The most bytes of JSON that are carried: payloads of queues are kept small. */
const MAX_BYTES = 2 * 1024

/** Carries what is known of a scope without waiting. The log says once which asynchronous reader was not waited for. */
export function carryKnown(scope: Scope, context: boolean | undefined, reporter: Reporter): Carried {
  try {
    const reading = scope.whoTracks()
    const { state, isWhole } = scope.knownConsent()
    const late = [
      typeof reading.userId === 'function' && 'userId',
      typeof reading.anonymousId === 'function' && 'anonymousId',
      !isWhole && 'consent',
    ].filter(Boolean)
    if (late.length > 0) {
      reporter.mistake(
        `carry() did not wait for the asynchronous reader of ${late.join(' and ')}: use await tracker.carry({ wait: true })`,
      )
    }
    return carriedOf(scope, knownIdentity(reading), state, context)
  } catch (error) {
    return nobody(reporter, error)
  }
}

/** Carries what is known of a scope when its asynchronous readers have answered, or two seconds are over. */
export async function carryAll(
  scope: Scope,
  context: boolean | undefined,
  reporter: Reporter,
): Promise<Carried> {
  try {
    const [{ userId, anonymousId }, { state }] = await Promise.all([
      settlePerson(scope.whoTracks(), performance.now()),
      scope.readConsent(),
    ])
    return carriedOf(scope, identityOf(userId, anonymousId), state, context)
  } catch (error) {
    return nobody(reporter, error)
  }
}

/** A handler must not fail because nobody can be carried. */
function nobody(reporter: Reporter, error: unknown): Carried {
  reporter.fault('carry() failed, and carries nobody', error)
  return { v: 1, at: Date.now() }
}

/** Ids and refusals are always carried; of the context as much as has room. */
function carriedOf(scope: Scope, identity: Identity, read: WalkerOS.Consent, withContext = true): Carried {
  const consent = { ...read, ...scope.chosenConsent }
  const carried: Carried = {
    v: 1,
    at: scope.grantsKnownAt(consent),
    ...identity,
    consent,
    trace: scope.trace,
  }
  const context = withContext ? scope.segmentContext(consent) : undefined
  if (!context) return carried
  for (const part of smallerAndSmaller(context)) {
    const whole = { ...carried, context: part }
    if (Buffer.byteLength(JSON.stringify(whole)) <= MAX_BYTES) return whole
  }
  return carried
}

/** The context, then without the parts that are long and tell least. */
function* smallerAndSmaller(context: SegmentContext): Generator<SegmentContext> {
  const { consent: _, traits: __, ...whole } = context
  yield whole
  const { page: ___, ...withoutPage } = whole
  yield withoutPage
  const { userAgent: ____, ...withoutAgent } = withoutPage
  yield withoutAgent
  const { campaign: _____, ...least } = withoutAgent
  yield least
}
