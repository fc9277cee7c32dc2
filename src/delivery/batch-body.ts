import { isRecord } from '../model/values.js'

const HEAD = '{"batch":['
const FOOT = '],"writeKey":'
const SENT_AT = ',"sentAt":"'

/** The parts of a batch's body as the SDK writes it. */
export interface BatchBody {
  /** The calls as JSON, separated by commas. */
  readonly calls: string
  /** The write key as JSON. */
  readonly writeKey: string
  /** When the SDK has written it. */
  readonly sentAt: string
}

/**
 * Splits a batch's body without parsing it: parsing costs about as much as everything else that is done with a body.
 *
 * @returns `undefined` for any other body, such as a request for an OAuth token.
 */
export function splitBatchBody(body: string): BatchBody | undefined {
  if (!body.startsWith(HEAD) || !body.endsWith('"}')) return undefined
  // A call's strings escape their quotes and cannot contain this text; the last occurrence is the batch's own.
  const foot = body.lastIndexOf(FOOT)
  const sentAt = body.lastIndexOf(SENT_AT)
  if (foot < HEAD.length || sentAt < foot) return undefined
  return {
    calls: body.slice(HEAD.length, foot),
    writeKey: body.slice(foot + FOOT.length, sentAt),
    sentAt: body.slice(sentAt + SENT_AT.length, -2),
  }
}

/**
 * Builds a body, by default one that is sent now: Segment corrects every timestamp by `sentAt`.
 */
export function buildBatchBody(
  calls: string,
  { writeKey, sentAt = new Date().toISOString() }: Pick<BatchBody, 'writeKey'> & Partial<BatchBody>,
): string {
  return `${HEAD}${calls}${FOOT}${writeKey}${SENT_AT}${sentAt}"}`
}

/** Splits a batch's calls into one JSON text each. */
export function splitCalls(calls: string): string[] {
  const parsed: unknown = JSON.parse(`[${calls}]`)
  return Array.isArray(parsed) ? parsed.map((call) => JSON.stringify(call)) : []
}

const MESSAGE_ID = '"messageId":"'
/** The SDK writes this behind the messageId of a call. */
const AFTER_MESSAGE_ID = '","_metadata":{'

/**
 * The messageIds of a batch's calls. It parses the calls only where data have a `messageId`, too, or a plugin has changed
 * the order of a call's members: parsing costs four times as much as searching the text.
 */
export function messageIdsOf(calls: string): string[] {
  const found: string[] = []
  for (let at = calls.indexOf(MESSAGE_ID); at >= 0; at = calls.indexOf(MESSAGE_ID, at)) {
    const start = at + MESSAGE_ID.length
    at = calls.indexOf('"', start)
    if (!calls.startsWith(AFTER_MESSAGE_ID, at)) return parsedMessageIds(calls)
    found.push(calls.slice(start, at))
  }
  return found
}

function parsedMessageIds(calls: string): string[] {
  try {
    const parsed: unknown = JSON.parse(`[${calls}]`)
    if (!Array.isArray(parsed)) return []
    return parsed.flatMap((call: unknown) =>
      isRecord(call) && typeof call.messageId === 'string' ? [call.messageId] : [],
    )
  } catch {
    return []
  }
}
