/** What a server of the suite is. */
export interface ServerOptions {
  readonly framework: 'express' | 'koa' | 'fastify' | 'hono'
  readonly way: 'bare' | 'mounted' | 'run' | 'direct' | 'collector' | 'posthog' | 'rudder' | 'amplitude'
  readonly handler: HandlerKind
  /** The ambient context of `mounted`; AsyncLocalStorage where it is left out. */
  readonly ambient?: 'off' | 'cls-hooked'
  /** `mounted`: whether a tracking plan knows the events. */
  readonly hasPlan?: boolean
  /** Where Segment is. */
  readonly host: string
  /** How many calls fill a batch; the default of whoever makes it where it is left out. */
  readonly flushAt?: number
  readonly flushInterval: number
  /** `mounted`: how many calls may be on their way. */
  readonly maxInFlight?: number
  /** `mounted`: the bounds that an application has by default; else there is room for all that comes. */
  readonly hasDefaultBounds?: boolean
  /** `mounted`: the directory of an outbox. */
  readonly outbox?: string
  /** `mounted`: the Redis to which calls are written; this process then sends none. */
  readonly redis?: string
}

/** What the handler does before it answers. */
export type HandlerKind =
  /** Nothing. */
  | 'answer'
  /** Awaits 20 times. */
  | 'awaits'
  /** Tracks one event. */
  | 'order'
  /** Tracks five events, an identify and a group. */
  | 'many'
  /** Tracks a thousand events. */
  | 'burst'
  /** Parses the JSON of an event, tracks it where that is mounted, and answers 204. */
  | 'parse'
  /** Takes an event that a browser sends; without a tracking it parses it. */
  | 'collect'
