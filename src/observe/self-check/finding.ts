import type { CheckCode } from './codes.js'

/** Something that a check has found. */
export interface Finding {
  readonly code: CheckCode
  /** What is the case, and what to do: sentences without what may be personal. */
  readonly message: string
  /** Whether it is said as an error: in development, where somebody waits for their first event. */
  readonly isError?: boolean
}

/** Tells a finding. */
export type Say = (finding: Finding) => void

/** What a check of events has come to: `over` where it need not see another one. */
export type CheckState = 'open' | 'over'

/** An event as the destination has judged it. */
export interface JudgedEvent {
  readonly name: string
  /** What the event was tracked in. */
  readonly scope: 'request' | 'run' | 'sender'
  /** Whether mapping rules apply to it: not to the calls of `identify()` and its like. */
  readonly isMapped: boolean
  /** The key of the mapping rule that took it. */
  readonly rule: string | undefined
  /** Why it became no call; `undefined` where it did. */
  readonly dropped: string | undefined
  /** The consent keys of which one has to be granted, where that was the reason. */
  readonly required: Readonly<Record<string, unknown>> | undefined
  readonly consent: Readonly<Record<string, unknown>>
  /** Whether the event has a userId or an anonymousId. */
  readonly hasIdentity: boolean
}

/** A check that looks at events until it knows enough. */
export interface EventCheck {
  see(event: JudgedEvent): CheckState
}

const MAX_NAME_LENGTH = 60

/** The name of an event as lines quote it: its beginning. */
export function quoted(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME_LENGTH))
}
