import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isRecord } from '../model/values.js'
import { shown } from './partial-match.js'

const ANSWERING = ['status', 'headers', 'body', 'retryAfter', 'redirect'] as const
const BREAKING = ['reset', 'hang', 'half', 'drip'] as const
const MEMBERS: readonly string[] = [...ANSWERING, ...BREAKING, 'delay', 'record', 'times']
const REDIRECT_STATUSES: readonly unknown[] = [301, 302, 307, 308]

/**
 * Checks a fault when the script is set: a test with a mistyped fault would prove nothing.
 *
 * @throws TypeError that names the member and the values it may have.
 */
export function assertFault(fault: unknown): void {
  if (!isRecord(fault)) {
    throw new TypeError(
      `respondWith: a fault is an object such as { status: 503 }, or 'ok'; given ${shown(fault)}`,
    )
  }
  const misspelt = Object.keys(fault).find((key) => !MEMBERS.includes(key))
  if (misspelt) throw new TypeError(`respondWith: ${misspelt} is unknown; a fault has ${MEMBERS.join(', ')}`)

  const ways = BREAKING.filter((key) => fault[key] !== undefined)
  if (ways.length > 1) {
    throw new TypeError(`respondWith: ${ways.join(' and ')} exclude each other; give one of them`)
  }
  const answering = ANSWERING.find((key) => fault[key] !== undefined)
  if (answering && (fault.reset || fault.hang)) {
    throw new TypeError(`respondWith: ${ways[0]} answers nothing, so it cannot have ${answering}`)
  }

  for (const key of ['reset', 'hang', 'half']) assertMember(fault, key, (value) => value === true, 'true')
  assertMember(fault, 'record', (value) => typeof value === 'boolean', 'true or false')
  assertMember(fault, 'delay', (value) => isFrom(0, value), 'milliseconds from 0 on')
  assertMember(fault, 'drip', (value) => isFrom(1, value), 'milliseconds from 1 on')
  assertMember(fault, 'times', (value) => isFrom(1, value), 'a number from 1 on')
  assertMember(fault, 'body', isTextOrObject, 'text or an object')
  assertMember(fault, 'redirect', (value) => typeof value === 'string', 'a URL')
  if (fault.redirect === undefined) {
    assertMember(fault, 'status', isFinalStatus, 'an integer from 200 to 599')
  } else {
    assertMember(fault, 'status', (value) => REDIRECT_STATUSES.includes(value), REDIRECT_STATUSES.join(', '))
  }
  assertMember(fault, 'headers', isRecord, 'an object of header names and values')
  assertHeaders({
    ...(isRecord(fault.headers) && fault.headers),
    location: fault.redirect,
    'retry-after': fault.retryAfter,
  })
}

function assertMember(
  fault: Record<string, unknown>,
  member: string,
  isValid: (value: unknown) => boolean,
  expected: string,
): void {
  const value = fault[member]
  if (value === undefined || isValid(value)) return
  throw new TypeError(`respondWith: ${member} is ${String(value)}; expected ${expected}`)
}

function isTextOrObject(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'object'
}

function isFrom(least: number, value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= least
}

function isFinalStatus(value: unknown): boolean {
  return Number.isInteger(value) && isFrom(200, value) && !isFrom(600, value)
}

/** @throws TypeError for a name or value that cannot be sent as a header. */
function assertHeaders(headers: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    validateHeaderName(name)
    validateHeaderValue(name, String(value))
  }
}
