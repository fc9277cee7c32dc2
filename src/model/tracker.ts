import type { WalkerOS } from '@walkeros/core'
import type { Carried, CarryOptions } from './carried.js'
import type { EventOptions, PartialEvent } from './event.js'
import type { Identity } from './identity.js'
import type { TimeoutOptions } from './timeout-options.js'

/**
 * The events of an application. Merge them into this interface, and the compiler checks names and data. While it is empty,
 * any name can be tracked.
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

/** The names that can be tracked: those of {@link TrackEvents}, or any name while it is empty. */
export type EventName = keyof TrackEvents extends never ? string : Extract<keyof TrackEvents, string>

/** The arguments after the name: data, which {@link TrackEvents} may require, and further members of the event. */
export type TrackArguments<N extends EventName> = N extends keyof TrackEvents
  ? Partial<TrackEvents[N]> extends TrackEvents[N]
    ? [data?: TrackEvents[N], event?: PartialEvent]
    : [data: TrackEvents[N], event?: PartialEvent]
  : [data?: object, event?: PartialEvent]

/** A walkerOS event to be tracked: name and data as {@link TrackEvents} has them, and further members. */
export type TrackedEvent = keyof TrackEvents extends never
  ? PartialEvent & { name: string }
  : { [N in Extract<keyof TrackEvents, string>]: EventWith<N, TrackEvents[N]> }[Extract<
      keyof TrackEvents,
      string
    >]

type EventWith<N extends string, D> = Omit<PartialEvent, 'name' | 'data'> & {
  name: N
} & (Partial<D> extends D ? { data?: D } : { data: D })

/** A function that tracks an event, as `req.track` and `ctx.track` are. */
export interface Track {
  /**
   * Tracks an event of the running request. Returns at once and never throws. The event goes to Segment after the response,
   * with the request's user and consent.
   *
   * @param name - Up to 255 characters, such as `order complete`: the first word is the entity, the rest the action.
   * @param rest - The event's data, copied as plain JSON; and further members of the event, such as `context`.
   *
   * @example
   * req.track('order complete', { id: 'A-1', total: 42 })
   */
  <N extends EventName>(name: N, ...rest: TrackArguments<N>): void
  /**
   * Tracks a walkerOS event.
   *
   * @param event - The event; every missing member but its name is filled in.
   *
   * @example
   * req.track({ name: 'order complete', data: { total: 42 }, nested: [{ entity: 'product', data: { id: 'P-1' } }] })
   */
  (event: TrackedEvent): void
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
 * Tracks for one request. Its methods return at once and never throw. Misuse is dropped with the reason `invalid` and
 * logged as an error.
 */
export interface Tracker {
  /** Tracks an event. Can be taken off the tracker and passed on. */
  readonly track: Track
  /** Tells Segment about the request's own user. Always makes a call, unlike the `identify` setting. */
  identify<T extends object>(traits?: T & NoIdentifyArguments): void
  /** Tells Segment about the request's own user, with options of the event. */
  identify<T extends object>(traits: T & NoIdentifyArguments, options?: EventOptions): void
  /**
   * Tells Segment about a user: after a registration, or when somebody edits somebody else. Without a usable id the call
   * is dropped as `invalid`: it is never taken for the request's own user.
   */
  identify(userId: string, traits?: object, options?: EventOptions): void
  /** Puts the request's user in a group. Always makes a call, unlike the `group` setting. */
  group(groupId: string, traits?: object, options?: EventOptions): void
  /** Tracks a page that was viewed; a text is its name. */
  page(page?: View | string, options?: EventOptions): void
  /** Tracks a screen of an app that was viewed; a text is its name. */
  screen(screen?: View | string, options?: EventOptions): void
  /** Tells Segment that the request's userId was known by another id before. */
  alias(previousId: string, options?: EventOptions): void
  /**
   * Sets the person if the handler knows better than the request: `id` is the userId, `session` the anonymousId, the rest
   * are facts about the person. Merged; the last call wins. Applies to events tracked from now on, and at the end of the
   * request to events that lacked an id.
   */
  user(user: WalkerOS.User): void
  /**
   * Changes the visitor's choice. Merged; the last call wins. Applies to all events of the request, also those tracked
   * before: a refusal stops them, a grant frees them. After the response it applies to events tracked from then on.
   */
  consent(state: WalkerOS.Consent): void
  /** Makes the shutdown wait for work that continues after the response and may still track. */
  waitUntil(work: Promise<unknown>): void
  /** Drops the events that this request has collected so far, counted as `discarded`. */
  discard(): void
  /**
   * Gives what is known of the person, their choices, the trace and Segment's context as plain JSON of at most 2 KB, for the
   * payload of a job that goes on with `tracking.resume()`. It holds no traits. Asynchronous readers are not waited for: the
   * log says once which.
   *
   * @example
   * await queue.add('invoice', { order, carried: req.tracker.carry() })
   */
  carry(options?: CarryOptions & { wait?: false }): Carried
  /** The same with what asynchronous readers answer within two seconds. */
  carry(options: CarryOptions & { wait: true }): Promise<Carried>
  /**
   * Sends the events that may go already, and waits for their outcome: those that have an identity and a granted consent
   * now. The others stay until the end of the request, when the readers are asked again. With a `dispatch` option other
   * than `always` all of them stay, since only the end tells whether they are wanted.
   *
   * No later refusal and no `discard()` takes back what was sent. Never rejects.
   *
   * @param options - `timeout`: milliseconds. Defaults to 5000.
   *
   * @example
   * req.track('order complete', { total: 42 })
   * await req.tracker.flush() // before a function is frozen
   */
  flush(options?: TimeoutOptions): Promise<void>
  /** The ids of the request's person that are known now. */
  readonly identity: Identity
}
