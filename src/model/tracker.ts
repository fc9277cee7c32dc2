import type { WalkerOS } from '@walkeros/core'
import type { PartialEvent } from './event.js'
import type { Identity } from './identity.js'

/**
 * The events of an application, to be merged into: with it names and data are checked when the application is compiled.
 * While nothing is merged, any `entity action` can be tracked.
 *
 * @example
 * declare module 'reqtrack' {
 *   interface TrackEvents {
 *     'order complete': { total: number; coupon?: string }
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into.
export interface TrackEvents {}

/** The names that can be tracked: those of {@link TrackEvents}, or any where nothing was merged into it. */
export type EventName = keyof TrackEvents extends never ? string : Extract<keyof TrackEvents, string>

/** What is tracked with a name: its data, which {@link TrackEvents} may require, and more of the event. */
export type TrackArguments<N extends EventName> = N extends keyof TrackEvents
  ? Partial<TrackEvents[N]> extends TrackEvents[N]
    ? [data?: TrackEvents[N], event?: PartialEvent]
    : [data: TrackEvents[N], event?: PartialEvent]
  : [data?: object, event?: PartialEvent]

/** A function that tracks an event, as `req.track` and `ctx.track` are. */
export interface Track {
  /**
   * Tracks an event of the running request. It returns at once and never throws; the event goes to Segment after the
   * response, with the request's user and consent.
   *
   * @param name - `entity action`, such as `order complete`.
   * @param rest - The event's data, copied and turned to plain JSON; and more of the event, such as `context`.
   *
   * @example
   * req.track('order complete', { id: 'A-1', total: 42 })
   */
  <N extends EventName>(name: N, ...rest: TrackArguments<N>): void
  /**
   * Tracks a walkerOS event.
   *
   * @param event - The event; all but its name is filled in where it is left out.
   *
   * @example
   * req.track({ name: 'order complete', data: { total: 42 }, nested: [{ entity: 'product', data: { id: 'P-1' } }] })
   */
  (event: PartialEvent & { name: EventName }): void
}

/** Keeps the argument of the SDK's own `identify` out: here the id comes first, and would otherwise become a trait. */
export interface NoIdentifyArguments {
  userId?: never
  anonymousId?: never
  traits?: never
}

/** A Segment `page` or `screen`. */
export interface View {
  category?: string
  name?: string
  properties?: object
}

/**
 * Tracks for one request. Its methods return at once and never throw; misuse is a drop with the reason `invalid` and an
 * error in the log.
 */
export interface Tracker {
  /** Tracks an event. Can be taken off the tracker and passed on. */
  readonly track: Track
  /** Tells Segment about the request's own user. Always makes a call, unlike the `identify` setting. */
  identify<T extends object>(traits?: T & NoIdentifyArguments): void
  /**
   * Tells Segment about a user: after a registration, or when somebody edits somebody else. Without a usable id the call
   * is dropped as `invalid`: it is never taken for the request's own user.
   */
  identify(userId: string, traits?: object): void
  /** Puts the request's user in a group. Always makes a call, other than the `group` setting. */
  group(groupId: string, traits?: object): void
  /** Tracks a page that was viewed; a text is its name. */
  page(page?: View | string): void
  /** Tracks a screen of an app that was viewed; a text is its name. */
  screen(screen?: View | string): void
  /** Tells Segment that the request's userId was known by another id before. */
  alias(previousId: string): void
  /**
   * Says what the handler knows better than the request: `id` is the userId, `session` the anonymousId, the rest is about
   * the person. Merged; the last call wins. Holds for what is tracked from now on, and at the end of the request for
   * what lacked an id.
   */
  user(user: WalkerOS.User): void
  /**
   * Says that the visitor's choice changed in this request. Merged; the last call wins. Holds for all events of the
   * request, also those tracked before: a refusal stops them, a grant frees them. Said after the response, it holds for
   * what is tracked from then on.
   */
  consent(state: WalkerOS.Consent): void
  /** Lets the shutdown wait for work that goes on after the response and may still track. */
  waitUntil(work: Promise<unknown>): void
  /** Drops what this request has collected so far, counted as `discarded`. */
  discard(): void
  /** Who the request is from, as far as is known now. */
  readonly identity: Identity
}
