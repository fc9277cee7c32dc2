import { isRecord } from '../model/values.js'
import { isInstance } from '../support/instance.js'
import { nameOf } from '../support/log.js'
import { optionOf } from '../support/option.js'

/** What an error of the SDK means for its call. */
export type Fault =
  /** Segment refuses the content. */
  | { readonly kind: 'rejected'; readonly detail: string }
  /** It is larger than Segment takes. */
  | { readonly kind: 'too-large'; readonly detail: string }
  /** Segment does not know the write key. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The client's own plugins or listeners have stopped it. */
  | { readonly kind: 'cancelled'; readonly detail: string }
  /** The application has closed the client. */
  | { readonly kind: 'closed'; readonly detail: string }
  /** It did not arrive; a retry may succeed. */
  | { readonly kind: 'passing'; readonly reason: 'timeout' | 'unreachable'; readonly detail: string }

/** Classifies an error of the SDK by its message, since the SDK has no error codes. */
export function faultOf(reason: unknown): Fault {
  const detail = messageOf(reason)
  if (isInstance(reason, Cancelled)) return { kind: 'cancelled', detail }
  if (isInstance(reason, ClientClosed)) return { kind: 'closed', detail }
  const status = Number(/^\[(\d{3})\]/.exec(detail)?.[1])
  if (status === 400 || status === 413 || status === 422) return { kind: 'rejected', detail }
  if (status === 401 || status === 403) return { kind: 'refused', detail }
  if (detail.includes('maximum event size')) return { kind: 'too-large', detail }
  const isTimeout =
    isInstance(reason, Error) && (nameOf(reason) === 'AbortError' || /timeout/i.test(nameOf(reason) + detail))
  return { kind: 'passing', reason: isTimeout ? 'timeout' : 'unreachable', detail }
}

/** The message of an error with its code: "fetch failed" alone explains nothing, and an `AggregateError` has no message. */
export function messageOf(reason: unknown): string {
  try {
    return isInstance(reason, Error) ? describe(reason) : nameOf(reason)
  } catch {
    return 'an error that cannot be read'
  }
}

function describe(reason: Error): string {
  const code = codeOf(reason) ?? codeOf(reason.cause)
  // Anybody's own error may have a message that is no text.
  const message = String(reason.message)
  if (code === undefined || message.includes(code)) return message
  return message ? `${message} (${code})` : code
}

function codeOf(error: unknown): string | undefined {
  const code = isInstance(error, Error) ? optionOf(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}

/** The client's own plugins or listeners have stopped a call. */
export class Cancelled extends Error {}

/** The application has closed the client. */
export class ClientClosed extends Error {
  override readonly message: string = 'the client was closed by closeAndFlush()'
}

/** There is no client: the SDK cannot be loaded. */
export class ClientMissing extends ClientClosed {
  override readonly message: string

  constructor(reason: unknown) {
    super()
    this.message =
      `@segment/analytics-node cannot be loaded: ${messageOf(reason)}. ` +
      'It is a dependency of this package: is it where the application runs, or in its bundle?'
  }
}

/** Whether the SDK has stopped a call at the wish of a plugin: its `ContextCancelation`, of whichever copy of the SDK. */
export function isCancellation(reason: unknown): boolean {
  try {
    return isRecord(reason) && 'retry' in reason && 'type' in reason && 'reason' in reason
  } catch {
    return false
  }
}

/** Words why the client has stopped a call. */
export function cancelledBy(reason: unknown): Cancelled {
  const why = isCancellation(reason) ? 'it cancelled the call' : messageOf(reason)
  return new Cancelled(`a plugin or listener of the client has stopped it: ${why}`)
}

/** Whether an error tells of a network or an answer, as those of the SDK's token requests do. */
export function isNetworkError(reason: unknown): boolean {
  const fault = faultOf(reason)
  if (fault.kind !== 'passing') return fault.kind === 'refused' || fault.kind === 'rejected'
  return (
    fault.reason === 'timeout' || /^\[\d{3}\]|fetch failed/.test(fault.detail) || codeOf(reason) !== undefined
  )
}
