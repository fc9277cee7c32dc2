import { STATUS_CODES } from 'node:http'
import type { Fault } from './faults.js'

/** An answer of the local endpoint. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
}

/** Statuses that must not have a body. */
const BODILESS = [204, 304]

/** Segment's answer to a batch that it accepts. */
export const SUCCESS = jsonAnswer(200, { success: true })

/** Segment's answer to a request that it refuses. */
export function failure(status: number, message: string): Answer {
  return jsonAnswer(status, { success: false, message })
}

/**
 * The answer that a fault asks for.
 *
 * @param normal - The answer without the fault.
 */
export function faultAnswer(fault: Fault, normal: Answer): Answer {
  if (fault.reset || fault.hang) return normal
  const { redirect, retryAfter, headers, body } = fault
  const status = fault.status ?? (redirect === undefined ? normal.status : 302)
  const plainAnswer = status === normal.status ? normal : answerOf(status)
  const answer = body === undefined ? plainAnswer : textAnswer(status, body)
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...(redirect !== undefined && { location: redirect }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...lowerCased(headers ?? {}),
    },
  }
}

function answerOf(status: number): Answer {
  if (BODILESS.includes(status)) return { status, headers: {}, body: Buffer.alloc(0) }
  if (status < 300) return jsonAnswer(status, { success: true })
  return failure(status, STATUS_CODES[status] ?? 'scripted')
}

function textAnswer(status: number, body: string | object): Answer {
  if (typeof body === 'object') return jsonAnswer(status, body)
  return withLength(status, 'text/plain; charset=utf-8', Buffer.from(body))
}

function jsonAnswer(status: number, value: object): Answer {
  return withLength(status, 'application/json; charset=utf-8', Buffer.from(JSON.stringify(value)))
}

function withLength(status: number, type: string, body: Buffer): Answer {
  return { status, headers: { 'content-type': type, 'content-length': body.length }, body }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
