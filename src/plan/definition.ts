import type { StandardSchema } from './standard-schema.js'

/** What becomes of an event that the plan does not know. */
export type Unplanned = 'allow' | 'report' | 'drop'

/** What becomes of an event that is not as the plan says. */
export type Invalid = 'report' | 'omit' | 'drop'

/** What a plan has of one event: the schema of its data, alone or with what becomes of this event. */
export type PlanEntry =
  | StandardSchema
  | {
      /** What the handler's data have to be. */
      readonly schema: StandardSchema
      /** What becomes of the event where they are not. Defaults to the plan's own `invalid`. */
      readonly invalid?: Invalid
    }
  | {
      /** The event is not planned, and this becomes of it, whatever the plan's own `unplanned`. */
      readonly unplanned: Unplanned
    }

/** The events of a plan, by the names that handlers track. */
export type PlanEntries = Readonly<Record<string, PlanEntry>>

/** What becomes of events that do not keep to a plan. */
export interface PlanPolicies {
  /**
   * What becomes of an event that the plan does not know: it is let through, or let through and reported, or dropped with
   * the reason `plan`.
   *
   * @default 'report'
   */
  readonly unplanned?: Unplanned
  /**
   * What becomes of an event that is not as the plan says: it is reported and goes on as it is (`report`), or without the
   * parts that are wrong (`omit`), or is dropped with the reason `plan` (`drop`).
   *
   * @default 'report'
   */
  readonly invalid?: Invalid
}

/** A tracking plan, as it is written. */
export interface PlanDefinition<Entries extends PlanEntries = PlanEntries> extends PlanPolicies {
  /** The events, by the names that handlers track. */
  readonly events: Entries
  /** What the traits of `tracker.identify()` have to be. */
  readonly identify?: StandardSchema
  /** What the traits of `tracker.group()` have to be. */
  readonly group?: StandardSchema
  /** What the properties of `tracker.page()` have to be. */
  readonly page?: StandardSchema
  /** What the properties of `tracker.screen()` have to be. */
  readonly screen?: StandardSchema
  /**
   * Whether what a schema gives is sent instead of what the handler gave: defaults filled in, values converted.
   *
   * @default false
   */
  readonly transform?: boolean
}

/** The tracker's methods that a plan can have a schema for. */
export const METHODS = ['identify', 'group', 'page', 'screen'] as const

/** A tracker's method that a plan can have a schema for. */
export type PlannedMethod = (typeof METHODS)[number]
