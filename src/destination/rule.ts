import type { Mapping, WalkerOS } from '@walkeros/core'

/**
 * The event that mapping functions see.
 *
 * @typeParam D - Its data, as {@link TrackEvents} has them; `unknown` for any.
 */
export type RuleEvent<D = unknown> = unknown extends D
  ? WalkerOS.DeepPartialEvent
  : Omit<WalkerOS.DeepPartialEvent, 'data'> & { data: D }

/** The second argument of mapping functions: the event, its consent, and a logger. */
export type RuleContext<D = unknown> = unknown extends D
  ? Mapping.Context
  : Omit<Mapping.Context, 'event'> & { event: RuleEvent<D> }

/** A path in an event, such as `data.total` or `nested.*.data.id`. Editors propose those of the event's data. */
export type RulePath<D = unknown> = unknown extends D
  ? string
  : `data.${Extract<D extends object ? keyof D : never, string>}` | (string & {})

/** The object form of a mapping value. */
export interface RuleValueConfig<D = unknown> {
  /** Takes the value only if this function returns `true`. It may be asynchronous and has two seconds. */
  condition?: (value: unknown, context: RuleContext<D>) => boolean | Promise<boolean>
  /** Consent keys of which one has to be granted; without one the result is `value`. */
  consent?: WalkerOS.Consent
  /** Makes the result from the value: the event or, in a `loop`, the entry. It may be asynchronous and has two seconds. */
  fn?: (value: unknown, context: RuleContext<D>) => unknown
  /** Path to the result, such as `data.total`. */
  key?: RulePath<D>
  /** A list (`this` for the value itself) and the mapping value of each entry. */
  loop?: [list: RuleValue<D>, entry: RuleValue<D>]
  /** Makes an object: mapping values by name. */
  map?: { [name: string]: RuleValue<D> }
  /** Makes a list: the result of each mapping value. */
  set?: RuleValue<D>[]
  /** Keeps the result only if this function returns `true`. It may be asynchronous and has two seconds. */
  validate?: (value: unknown, context: RuleContext<D>) => boolean | Promise<boolean>
  /** A fixed result, or the fallback. */
  value?: WalkerOS.PropertyType
}

/** A walkerOS mapping value: a path, a config, or a list of alternatives, of which the first with a result is taken. */
export type RuleValue<D = unknown> = RulePath<D> | RuleValueConfig<D> | (RulePath<D> | RuleValueConfig<D>)[]

/** The mapping of an event's data: a mapping value, or a list of alternatives. */
export type RuleData<D = unknown> = RuleValue<D> | RuleValue<D>[]

/** The `settings` of a mapping rule: further calls for the events that it matches. */
export interface MappingSettings<D = unknown> {
  /** Calls `identify()`: a mapping value that gives `{ userId?, traits? }`. Replaces `settings.identify`. */
  identify?: RuleValue<D>
  /** Calls `group()`: a mapping value that gives `{ groupId, traits? }`. Replaces `settings.group`. */
  group?: RuleValue<D>
  /** Calls `page()`: a mapping value that gives `{ category?, name?, properties? }`, or `true` for a bare call. */
  page?: RuleValue<D> | boolean
  /** Calls `screen()`: a mapping value that gives `{ category?, name?, properties? }`, or `true` for a bare call. */
  screen?: RuleValue<D> | boolean
}

/**
 * A walkerOS mapping rule of this destination.
 *
 * @typeParam D - The data of its events, as {@link TrackEvents} has them; `unknown` for any.
 */
export interface Rule<D = unknown> {
  /** The name of the `track()` call. Defaults to the event's own. */
  name?: string
  /** Makes the properties; merged over the config's `data`. Defaults to the event's data. */
  data?: RuleData<D>
  /**
   * Adds sections of the event to the properties, flattened: `data`, `globals`, `context`, `user`, `source`, `event`, or
   * `all`. Replaces the config's `include`.
   */
  include?: string[]
  /** Removes these paths from the properties, wherever they came from. */
  remove?: string[]
  /**
   * Applies the rule only if this function returns `true`; otherwise the next rule of a list is tried. It may be asynchronous
   * and has two seconds. One that fails counts as `false`.
   */
  condition?: (
    event: unknown extends D ? unknown : RuleEvent<D>,
    context: RuleContext<D>,
  ) => boolean | Promise<boolean>
  /** Consent keys of which one has to be granted; without one the event is dropped with the reason `consent`. */
  consent?: WalkerOS.Consent
  /** Changes the event before its data is made: mapping values by the path that they are set at. */
  policy?: { [path: string]: RuleValue<D> }
  /** Drops the event with the reason `ignored`. Defaults to `false`. */
  ignore?: boolean
  /** Makes the calls of `settings` and no `track()`: the name of `skip` in walkerOS 4. Defaults to `false`. */
  silent?: boolean
  /** Makes the calls of `settings` and no `track()`. Defaults to `false`. */
  skip?: boolean
  /**
   * Keeps the events of this share of visitors, from 0 to 1, and drops those of the others with the reason `sampled`. A
   * visitor is in or out for good, on every machine, by a hash of the anonymousId, or of the userId where there is none.
   */
  sample?: number
  /** Further calls of the Segment spec: `identify`, `group`, `page`, `screen`. */
  settings?: MappingSettings<D>
  /** Batches the events. Only in a walkerOS collector: `createTracking` refuses it, since the Segment client batches already. */
  batch?: NonNullable<Mapping.Rule['batch']>
  /** Merges into the rule of a package. Only in a walkerOS collector: `createTracking` refuses it. */
  extend?: NonNullable<Mapping.Rule<MappingSettings>['extend']>
}
