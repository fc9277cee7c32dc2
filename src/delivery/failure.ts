import { nameOf } from '../support/log.js'

/** What an error of the SDK means for its call. */
export type Fault =
  /** Segment refuses the content. */
  | { readonly kind: 'rejected'; readonly detail: string }
  /** It is larger than Segment takes. */
  | { readonly kind: 'too-large'; readonly detail: string }
  /** Segment does not know the write key. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It did not arrive; a retry may succeed. */
  | { readonly kind: 'passing'; readonly reason: 'timeout' | 'unreachable'; readonly detail: string }

/** Classifies an error of the SDK by its message, since the SDK has no error codes. */
export function faultOf(reason: unknown): Fault {
  const detail = messageOf(reason)
  const status = Number(/^\[(\d{3})\]/.exec(detail)?.[1])
  if (status === 400 || status === 413 || status === 422) return { kind: 'rejected', detail }
  if (status === 401 || status === 403) return { kind: 'refused', detail }
  if (detail.includes('maximum event size')) return { kind: 'too-large', detail }
  const isTimeout =
    reason instanceof Error && (reason.name === 'AbortError' || /timeout/i.test(reason.name + detail))
  return { kind: 'passing', reason: isTimeout ? 'timeout' : 'unreachable', detail }
}

/** The message of an error with its code: "fetch failed" alone explains nothing, and an `AggregateError` has no message. */
export function messageOf(reason: unknown): string {
  if (!(reason instanceof Error)) return nameOf(reason)
  const code = codeOf(reason) ?? codeOf(reason.cause)
  if (code === undefined || reason.message.includes(code)) return reason.message
  return reason.message ? `${reason.message} (${code})` : code
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}
