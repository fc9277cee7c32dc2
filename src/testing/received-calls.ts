/** The members that every call may have. Some libraries send `null` for a missing one. */
export interface ReceivedCommon {
  /** Calls with the same messageId are one message to Segment. */
  readonly messageId?: string | null
  readonly userId?: string | null
  readonly anonymousId?: string | null
  /** When the event happened, as the sender wrote it: ISO 8601. */
  readonly timestamp?: string | null
  readonly context?: Readonly<Record<string, unknown>> | null
  readonly integrations?: Readonly<Record<string, unknown>> | null
}

/** A `track` call on the wire. */
export interface ReceivedTrack extends ReceivedCommon {
  readonly type: 'track'
  readonly event: string
  readonly properties?: Readonly<Record<string, unknown>> | null
}

/** An `identify` call on the wire. */
export interface ReceivedIdentify extends ReceivedCommon {
  readonly type: 'identify'
  readonly traits?: Readonly<Record<string, unknown>> | null
}

/** A `group` call on the wire. */
export interface ReceivedGroup extends ReceivedCommon {
  readonly type: 'group'
  readonly groupId: string
  readonly traits?: Readonly<Record<string, unknown>> | null
}

/** A `page` call on the wire. */
export interface ReceivedPage extends ReceivedCommon {
  readonly type: 'page'
  readonly name?: string | null
  readonly category?: string | null
  readonly properties?: Readonly<Record<string, unknown>> | null
}

/** A `screen` call on the wire. */
export interface ReceivedScreen extends ReceivedCommon {
  readonly type: 'screen'
  readonly name?: string | null
  readonly category?: string | null
  readonly properties?: Readonly<Record<string, unknown>> | null
}

/** An `alias` call on the wire. */
export interface ReceivedAlias extends ReceivedCommon {
  readonly type: 'alias'
  readonly userId: string
  readonly previousId: string
}

/**
 * A call as the local endpoint received it: the JSON of the wire, with nothing added. `type` tells the types apart.
 *
 * @example
 * for (const call of server.calls) if (call.type === 'track') console.log(call.event, call.properties)
 */
export type ReceivedCall =
  | ReceivedTrack
  | ReceivedIdentify
  | ReceivedGroup
  | ReceivedPage
  | ReceivedScreen
  | ReceivedAlias
