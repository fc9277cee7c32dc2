import type { SegmentContext } from './segment-call.js'

/**
 * A person, their choices and their trace as plain JSON, for the payload of a job: `tracker.carry()` makes it,
 * `tracking.resume()` goes on with it. It holds no traits. Do not read it: its form is versioned, not public.
 */
export interface Carried {
  /** The version of this form. */
  readonly v: 1
  /** When the choices were known, in milliseconds since 1970. */
  readonly at: number
  readonly userId?: string
  readonly anonymousId?: string
  readonly consent?: Readonly<Record<string, boolean>>
  /** 32 hex digits. */
  readonly trace?: string
  readonly context?: SegmentContext
}

/** What `tracker.carry()` carries. */
export interface CarryOptions {
  /** Whether Segment's `context` of the request is carried, too. Defaults to `true`. */
  context?: boolean
}

/** How `tracking.resume()` goes on. */
export interface ResumeOptions {
  /** The person's present choices, laid over those that were carried. */
  consent?: Readonly<Record<string, boolean>>
  /** Milliseconds after which a carried grant is unknown again; a refusal stays. Defaults to 7 days. */
  maxAge?: number
  /** What `signCarried` signed with. Several are tried, so that a secret can be replaced. */
  secret?: string | string[]
}
