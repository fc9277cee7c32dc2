import { nameOf } from '../support/log.js'

/** What an SDK's word about a call means for it. */
export type Fault =
  /** Segment refuses what it was sent. */
  | { readonly kind: 'rejected'; readonly detail: string }
  /** It is larger than Segment takes. */
  | { readonly kind: 'too-large'; readonly detail: string }
  /** Segment does not know the write key. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It did not arrive, and may do so later. */
  | { readonly kind: 'passing'; readonly reason: 'timeout' | 'unreachable'; readonly detail: string }

/** Reads what the SDK says of a call that failed: it has words, no codes. */
export function faultOf(reason: unknown): Fault {
  const detail = wordsOf(reason)
  const status = Number(/^\[(\d{3})\]/.exec(detail)?.[1])
  if (status === 400 || status === 413 || status === 422) return { kind: 'rejected', detail }
  if (status === 401 || status === 403) return { kind: 'refused', detail }
  if (detail.includes('maximum event size')) return { kind: 'too-large', detail }
  const isTimeout =
    reason instanceof Error && (reason.name === 'AbortError' || /timeout/i.test(reason.name + detail))
  return { kind: 'passing', reason: isTimeout ? 'timeout' : 'unreachable', detail }
}

/** Node says "fetch failed", and in the cause why; of several addresses that failed it says nothing but a code. */
export function wordsOf(reason: unknown): string {
  if (!(reason instanceof Error)) return nameOf(reason)
  const code = codeOf(reason) ?? codeOf(reason.cause)
  if (code === undefined || reason.message.includes(code)) return reason.message
  return reason.message ? `${reason.message} (${code})` : code
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}
