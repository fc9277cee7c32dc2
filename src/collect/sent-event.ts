import { createHash } from 'node:crypto'
import type { GivenEvent } from '../model/event.js'
import type { Identity } from '../model/identity.js'
import type { DirectCall } from '../model/segment-call.js'
import type { SentFacts } from '../model/sent-facts.js'
import type { SegmentPage } from '../request/page.js'
import type { CollectRules } from './options.js'

/** An event that a browser has sent, with nothing in it that a browser is not believed. */
export interface SentEvent {
  readonly given: GivenEvent
  readonly direct: DirectCall | undefined
  readonly facts: SentFacts
  /** Whether browsers may track it. */
  readonly isAllowed: boolean
}

/** What events are read with. */
export interface Reading {
  readonly rules: CollectRules
  /** Whether browsers may track an event of that name, or such a call. */
  readonly allows: (name: string, direct?: DirectCall) => boolean
  /** The ids of the request's own person that are known at once. */
  readonly identity: Identity
  /** The groups that the request's user is a member of. */
  readonly groups: ReadonlySet<string>
  /** The keys of `settings.consent`, and the categories of Segment that they stand for. */
  readonly categories: readonly (readonly [key: string, category: string])[]
  /** When the request arrived, in milliseconds since 1970. */
  readonly arrivedAt: number
  /** The page of a call, cut as the request's own would be. */
  readonly cutPage: (url: string | undefined, referrer: string | undefined) => SegmentPage | undefined
}

/** Longer ids are nobody's. */
const MAX_ID_LENGTH = 255
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

/** The anonymousId that a browser names, where it may and where that is a UUID. */
export function sentAnonymousId(id: unknown, { rules, identity }: Reading): string | undefined {
  if (!rules.takesAnonymousId || identity.anonymousId !== undefined) return undefined
  return typeof id === 'string' && UUID.test(id) ? id : undefined
}

/**
 * The idempotency key of an event: the browser's own id of it, bound to the visitor. Who knows another visitor's id of an
 * event cannot take its place.
 *
 * @returns `undefined` where nothing tells the visitor from others: each such event is its own.
 */
export function keyOf(
  id: unknown,
  anonymousId: string | undefined,
  { identity }: Reading,
): string | undefined {
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) return undefined
  const visitor = visitorOf(identity, anonymousId)
  return (
    visitor &&
    createHash('sha256')
      .update(JSON.stringify([visitor, id]))
      .digest('base64url')
  )
}

function visitorOf(identity: Identity, sent: string | undefined): readonly string[] | undefined {
  if (identity.anonymousId !== undefined) return ['anonymousId', identity.anonymousId]
  if (identity.userId !== undefined) return ['userId', identity.userId]
  return sent === undefined ? undefined : ['sent', sent]
}
