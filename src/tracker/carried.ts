import type { Carried, ResumeOptions } from '../model/carried.js'
import { onlyChoices } from '../model/consent.js'
import { toId } from '../model/identity.js'
import type { SegmentContext } from '../model/segment-call.js'
import { isRecord, toPlain } from '../model/values.js'
import { isListOf } from '../support/instance.js'
import { readAsTypeError } from '../support/option.js'
import { kindOf } from './given-kinds.js'
import { checkedChoices, type GivenSender, traceOf } from './given-sender.js'
import { openSigned } from './signed-carried.js'

const DEFAULT_MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000
/** Clocks of several machines differ by less. */
const CLOCK_TOLERANCE_MS = 5 * 60 * 1_000
/** The most characters of a signed text that are looked at. */
const MAX_TEXT = 16 * 1024
/** The most bytes of JSON of what is carried as an object. */
const MAX_BYTES = 8 * 1024

/** The options of a resumption, checked. */
export interface CheckedResumeOptions {
  readonly consent: Readonly<Record<string, boolean>>
  readonly maxAge: number
  readonly secrets: readonly string[]
}

/** The sender of a run that goes on with a carried person; one without a person where the carried value is unusable. */
export interface OpenedCarried {
  readonly sender: GivenSender
  /** Why it is nobody's. It quotes nothing of the value. */
  readonly problem?: string
}

/**
 * Checks the options of `resume()`, which a job's own code gives.
 *
 * @throws TypeError that says what was given and what was expected.
 */
export function readResumeOptions(options?: ResumeOptions): CheckedResumeOptions {
  return readAsTypeError('tracking.resume() was given options', () => checkOptions(options))
}

function checkOptions(options: ResumeOptions = {}): CheckedResumeOptions {
  const refuse = (option: string, value: unknown, expected: string): never => {
    throw new TypeError(`tracking.resume() was given ${option}: ${kindOf(value)}; expected ${expected}`)
  }
  if (!isRecord(options)) return refuse('options', options, 'an object such as { consent, maxAge, secret }')
  const { consent = {}, maxAge = DEFAULT_MAX_AGE_MS, secret } = options
  if (!isRecord(consent)) return refuse('consent', consent, 'an object such as { analytics: true }')
  const choices = checkedChoices(consent, (key, choice) =>
    refuse(`consent.${key.slice(0, 60)}`, choice, 'true or false'),
  )
  if (typeof maxAge !== 'number' || !(maxAge >= 0))
    return refuse('maxAge', maxAge, 'milliseconds, a number from 0 on')
  if (secret === undefined) return { consent: choices, maxAge, secrets: [] }
  if (isSecret(secret)) return { consent: choices, maxAge, secrets: [secret] }
  if (isListOf(secret, isSecret)) return { consent: choices, maxAge, secrets: secret }
  return refuse('secret', secret, 'a non-empty string, or a list of them')
}

/** Opens a carried value, which may come from anywhere: whatever is wrong with it makes the run one by nobody. */
export function openCarried(carried: unknown, options: CheckedResumeOptions): OpenedCarried {
  try {
    return { sender: senderOf(checked(carried, options), options) }
  } catch (error) {
    const problem = error instanceof CarriedError ? error.message : 'what was carried could not be read'
    return { sender: { ...NOBODY, consent: options.consent }, problem }
  }
}

const NOBODY: GivenSender = {
  name: undefined,
  userId: undefined,
  anonymousId: undefined,
  details: undefined,
  consent: {},
  context: undefined,
  trace: undefined,
}

class CarriedError extends TypeError {}

function checked(carried: unknown, { secrets }: CheckedResumeOptions): Record<string, unknown> {
  if (typeof carried !== 'string') {
    if (secrets.length > 0)
      throw new CarriedError(
        'what was carried is not signed, and a secret is given: sign it with signCarried()',
      )
    const { value, tooLarge, problems } = toPlain(carried, MAX_BYTES)
    if (tooLarge) throw new CarriedError('what was carried is larger than anything that carry() makes')
    if (!isRecord(value))
      throw new CarriedError(`what was carried is ${kindOf(carried)}: expected what carry() gave`)
    // What is left out could be a refusal.
    if (problems.length > 0) throw new CarriedError('what was carried has parts that cannot be read')
    return value
  }
  if (secrets.length === 0)
    throw new CarriedError(
      'what was carried is a text, and no secret is given: expected what carry() gave, or the secret of signCarried()',
    )
  if (carried.length > MAX_TEXT)
    throw new CarriedError('what was carried is larger than anything that signCarried() makes')
  const opened = openSigned(carried, secrets)
  if (!isRecord(opened)) throw new CarriedError('the signature of what was carried is wrong')
  return opened
}

function senderOf(carried: Record<string, unknown>, { consent, maxAge }: CheckedResumeOptions): GivenSender {
  const { v, at } = carried
  if (v !== 1) throw new CarriedError('what was carried has a version that this release does not know')
  if (typeof at !== 'number' || !Number.isFinite(at)) throw new CarriedError('what was carried has no time')
  const age = Date.now() - at
  const isFresh = age <= maxAge && age >= -CLOCK_TOLERANCE_MS
  const known = Object.entries(choicesOf(carried.consent)).filter(([, granted]) => !granted || isFresh)
  const grants = known.flatMap(([key, granted]) => (granted && !Object.hasOwn(consent, key) ? [key] : []))
  return {
    ...NOBODY,
    userId: idOf(carried.userId, 'userId'),
    anonymousId: idOf(carried.anonymousId, 'anonymousId'),
    consent: { ...Object.fromEntries(known), ...consent },
    context: contextOf(carried.context),
    trace: traceOf(carried.trace),
    carried: { at, grants },
  }
}

/** A choice that is no boolean is a damaged one: the whole state is then unusable. */
function choicesOf(consent: unknown): Record<string, boolean> {
  if (consent === undefined) return {}
  if (!isRecord(consent)) throw new CarriedError('what was carried has a consent state that is none')
  const choices = onlyChoices(consent)
  if (Object.keys(choices).length !== Object.keys(consent).length)
    throw new CarriedError('what was carried has choices that are neither true nor false')
  return choices
}

function idOf(given: unknown, name: keyof Carried): string | undefined {
  if (given === undefined) return undefined
  const id = typeof given === 'string' ? toId(given) : undefined
  if (id === undefined) throw new CarriedError(`the ${name} of what was carried is no id`)
  return id
}

function contextOf(context: unknown): SegmentContext | undefined {
  if (context === undefined) return undefined
  if (!isRecord(context)) throw new CarriedError('what was carried has a context that is no object')
  // The choices that count are the run's own, and a person's traits are never carried.
  const { consent: _, traits: __, ...rest } = context
  return rest
}

function isSecret(secret: unknown): secret is string {
  return typeof secret === 'string' && secret !== ''
}
