import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Carried } from '../model/carried.js'
import { isRecord } from '../model/values.js'
import { readAsTypeError } from '../support/option.js'
import { kindOf } from './given-kinds.js'

/** Short names, since a signed text has to fit into small places such as a payment's metadata. */
const SHORT = {
  v: 'v',
  at: 't',
  userId: 'u',
  anonymousId: 'a',
  consent: 'c',
  trace: 'r',
  context: 'x',
} as const

/** Stripe takes no longer value of a metadata key. Source: Stripe API, Metadata. */
const MAX_COMMON_TEXT = 500

/**
 * Signs what `tracker.carry()` gave, for hands that are not yours: the metadata of a payment, a link, a form. Whoever has
 * the text can read it, but not change it. `tracking.resume(text, work, { secret })` takes it.
 *
 * Without context it has at most 500 characters for ids of up to 64 characters and eight consent keys; a longer one is
 * given all the same, and the process warns once.
 *
 * @param secret - The key of the HMAC (SHA-256); keep it as you keep a password.
 * @throws TypeError if it is given no carried object or no secret.
 *
 * @example
 * const carried = signCarried(req.tracker.carry({ context: false }), process.env.CARRY_SECRET)
 * stripe.checkout.sessions.create({ metadata: { carried } })
 */
export function signCarried(carried: Carried, secret: string): string {
  return readAsTypeError('signCarried() was given an object', () => sign(carried, secret))
}

function sign(carried: Carried, secret: string): string {
  if (!isRecord(carried) || carried.v !== 1)
    throw new TypeError(`signCarried() was given ${kindOf(carried)}: expected what tracker.carry() gives`)
  if (typeof secret !== 'string' || secret === '')
    throw new TypeError(`signCarried() was given ${kindOf(secret)} as secret: expected a non-empty string`)
  const { v, at, userId, anonymousId, consent, trace, context } = carried
  if (consent !== undefined && !isRecord(consent))
    throw new TypeError(
      `signCarried() was given ${kindOf(consent)} as consent: expected what tracker.carry() gives`,
    )
  const text = JSON.stringify({
    [SHORT.v]: v,
    [SHORT.at]: at,
    [SHORT.userId]: userId,
    [SHORT.anonymousId]: anonymousId,
    [SHORT.consent]:
      consent && Object.fromEntries(Object.entries(consent).map(([key, granted]) => [key, granted ? 1 : 0])),
    [SHORT.trace]: trace,
    [SHORT.context]: context,
  })
  const signed = `${text}.${signatureOf(text, secret).toString('base64url')}`
  if (signed.length > MAX_COMMON_TEXT && !context) warnOfLength(signed.length)
  return signed
}

/**
 * Opens a signed text.
 *
 * @param secrets - Each of them may have signed it.
 * @returns What was signed, in the form of {@link Carried} but unchecked; `undefined` if nobody of them signed it.
 */
export function openSigned(signed: string, secrets: readonly string[]): unknown {
  const dot = signed.lastIndexOf('.')
  const text = Buffer.from(signed.slice(0, Math.max(0, dot)))
  const signature = Buffer.from(signed.slice(dot + 1), 'base64url')
  // Every secret is tried, and every comparison takes the same time.
  const matches = secrets.filter((secret) => {
    const expected = signatureOf(text, secret)
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  })
  // Other texts can have the same bytes: digits past the end of a signature, halves of characters.
  const isWhatWasSigned = `${text}.${signature.toString('base64url')}` === signed
  if (matches.length === 0 || !isWhatWasSigned) return undefined
  const short: unknown = JSON.parse(text.toString())
  if (!isRecord(short)) return undefined
  const opened: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(SHORT)) {
    if (Object.hasOwn(short, key)) opened[name] = key === SHORT.consent ? booleansOf(short[key]) : short[key]
  }
  return opened
}

function signatureOf(text: string | Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(text).digest()
}

function booleansOf(consent: unknown): unknown {
  if (!isRecord(consent)) return consent
  return Object.fromEntries(
    Object.entries(consent).map(([key, choice]) => [
      key,
      choice === 1 ? true : choice === 0 ? false : choice,
    ]),
  )
}

let hasWarned = false

function warnOfLength(length: number): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(
    `signCarried() gave ${length} characters, more than the ${MAX_COMMON_TEXT} that a payment's metadata takes: carry fewer consent keys or shorter ids. This is said once.`,
    { code: 'REQTRACK_CARRIED_LENGTH' },
  )
}
