/** What a call of any type may carry. `null` is what some libraries send for a member that they do not have. */
export interface ReceivedCommon {
  /** Tells Segment which calls are the same message. */
  readonly messageId?: string | null
  readonly userId?: string | null
  readonly anonymousId?: string | null
  /** When it happened, as the sender wrote it: ISO 8601. */
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
 * A call as the local endpoint received it: the JSON of the wire, nothing added, told apart by `type`.
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
