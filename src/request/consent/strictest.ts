import type { WalkerOS } from '@walkeros/core'
import { onlyChoices } from '../../model/consent.js'
import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import { setMember } from '../../model/values.js'
import { given } from '../../support/given.js'
import { after, all, answerWithin, isPromise, type Maybe } from '../../support/maybe.js'
import { askMembers, type MemberReader, type ReaderFault, readerName } from '../chain.js'
import { expectedReader, markFactory } from '../reader-factory.js'
import { throwProblems } from '../reader-options.js'
import { isOptOut, named, optOut } from './reader.js'

/** Less than a reader has, so that a slow member does not take the refusals of the others with it. */
const MEMBER_TIMEOUT_MS = 1_900

/** The key of the readers that {@link strictest} was given, shared by the copies of this package in a process. */
const members: unique symbol = Symbol.for('reqtrack.strictestMembers')

interface StrictestReader extends MemberReader<WalkerOS.Consent> {
  readonly [members]: readonly Reader<WalkerOS.Consent>[]
}

/** What a member said; `undefined` if it threw, rejected or took too long. */
type Given = { readonly value: WalkerOS.Consent | undefined } | undefined

/**
 * Makes one reader of several: a refusal by any of them refuses a key, and a grant needs that none of them refuses. Use it
 * for a site with several consent managers, whose answers a list would merge in order, a later grant over an earlier
 * refusal.
 *
 * All readers are asked, at once, and asynchronous ones count if they answer in time. If one fails the refusals of the
 * others stand and nothing is granted, since it may have refused.
 *
 * @throws TypeError without readers, or for something else in the place of one.
 *
 * @example
 * consent: strictest(oneTrust(), consentCookie('newsletter-consent'))
 */
export function strictest(...readers: readonly Reader<WalkerOS.Consent>[]): Reader<WalkerOS.Consent> {
  checkReaders(readers)
  const ask = (request: TrackedRequest, fault: ReaderFault) => askAll(readers, request, fault)
  const reader = named('strictest', (request: TrackedRequest) => ask(request, nobody))
  const made: StrictestReader = Object.assign(reader, { [askMembers]: ask, [members]: readers })
  return readers.length > 0 && readers.every(isOptOut)
    ? Object.assign(made, { [optOut]: true as const })
    : made
}

markFactory(strictest, 'strictest(oneTrust(), cookiebot())')

function checkReaders(readers: readonly unknown[]): void {
  if (readers.length === 0)
    throw new TypeError('strictest() got no readers; write strictest(oneTrust(), cookiebot())')
  throwProblems(
    'strictest',
    readers.flatMap((reader, index) => {
      const expected = typeof reader === 'function' ? expectedReader(reader) : 'a reader, such as oneTrust()'
      if (expected === undefined) return []
      return [{ path: `reader ${index + 1}`, message: `${given(reader)}, expected ${expected}` }]
    }),
  )
}

/** The readers that only refuse: the reader itself, or those that {@link strictest} made it of. */
export function optOutsIn(reader: Reader<WalkerOS.Consent>): readonly Reader<WalkerOS.Consent>[] {
  if (isOptOut(reader)) return [reader]
  return isStrictest(reader) ? reader[members].flatMap(optOutsIn) : []
}

function isStrictest(reader: Reader<WalkerOS.Consent>): reader is StrictestReader {
  return members in reader
}

function nobody(): void {
  // Who calls the reader without a tracking has nobody to tell of a fault.
}

function askAll(
  readers: readonly Reader<WalkerOS.Consent>[],
  request: TrackedRequest,
  fault: ReaderFault,
): Maybe<WalkerOS.Consent | undefined> {
  return after(all(readers.map((reader) => askOne(reader, request, fault))), merged)
}

function askOne(reader: Reader<WalkerOS.Consent>, request: TrackedRequest, fault: ReaderFault): Maybe<Given> {
  try {
    const given = isStrictest(reader) ? reader[askMembers](request, fault) : reader(request)
    return isPromise(given) ? inTime(given, reader, fault) : { value: given }
  } catch (error) {
    fault(readerName(reader), error)
    return undefined
  }
}

function inTime(
  given: Promise<WalkerOS.Consent | undefined>,
  reader: Reader<WalkerOS.Consent>,
  fault: ReaderFault,
): Promise<Given> {
  const answer = given.then(
    (value) => ({ value }),
    (error: unknown) => {
      fault(readerName(reader), error)
      return undefined
    },
  )
  return answerWithin(answer, MEMBER_TIMEOUT_MS)
}

function merged(answers: readonly Given[]): WalkerOS.Consent | undefined {
  const consent: WalkerOS.Consent = {}
  const isAnyMissing = answers.includes(undefined)
  for (const answer of answers) {
    for (const [key, granted] of Object.entries(onlyChoices(answer?.value))) {
      const isRefused = Object.hasOwn(consent, key) && consent[key] === false
      if (!granted) setMember(consent, key, false)
      else if (!isAnyMissing && !isRefused) setMember(consent, key, true)
    }
  }
  return Object.keys(consent).length === 0 ? undefined : consent
}
