import { isRecord } from '../model/values.js'

const HEAD = '{"batch":['
const FOOT = '],"writeKey":'
const SENT_AT = ',"sentAt":"'

/** The body of a batch as the SDK writes it, taken apart without reading its calls. */
export interface BatchBody {
  /** The calls as JSON, with commas between them. */
  readonly calls: string
  /** The write key as JSON. */
  readonly writeKey: string
}

/**
 * Takes a batch's body apart by its text: reading a whole body as JSON costs about as much as everything else that is
 * done with it.
 *
 * @returns `undefined` for what is no batch, such as a request for an OAuth token.
 */
export function takeApart(body: string): BatchBody | undefined {
  if (!body.startsWith(HEAD) || !body.endsWith('"}')) return undefined
  // Within a call's strings quotes are escaped, so that this text cannot be there; the last one is the batch's own.
  const foot = body.lastIndexOf(FOOT)
  const sentAt = body.lastIndexOf(SENT_AT)
  if (foot < HEAD.length || sentAt < foot) return undefined
  return { calls: body.slice(HEAD.length, foot), writeKey: body.slice(foot + FOOT.length, sentAt) }
}

/** Puts a body together, to be sent now: Segment corrects every timestamp by the time at which a batch was sent. */
export function putTogether(calls: string, writeKey: string): string {
  return `${HEAD}${calls}${FOOT}${writeKey}${SENT_AT}${new Date().toISOString()}"}`
}

/** The calls of a batch, each as JSON. */
export function separate(calls: string): string[] {
  const parsed: unknown = JSON.parse(`[${calls}]`)
  return Array.isArray(parsed) ? parsed.map((call) => JSON.stringify(call)) : []
}

/** The messageIds of a batch's calls. */
export function messageIdsOf(calls: string): string[] {
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
