/** What kind of JSON value came; `nothing` where none did. */
export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object' | 'nothing'

/**
 * One thing that an event has otherwise than the tracking plan says. It names no value, and quotes no message of a schema
 * library, since either may be personal data.
 */
export interface Violation {
  /** The event's name, such as `order complete`; of the tracker's own methods `user identify`, `page view` and so on. */
  readonly event: string
  /** The tracker's method, where it was not `track`. */
  readonly method?: 'identify' | 'group' | 'page' | 'screen'
  /**
   * What is wrong, the same for every event that has it wrong in the same way: `total is a string`,
   * `items[].price is missing`, `not planned`.
   */
  readonly problem: string
  /** Where: `items[1].price`. Empty for the event itself. */
  readonly path: string
  /** What kind of value came. */
  readonly received: JsonKind
  /** What the plan wants there, in words, where the schema library gives a JSON Schema: `a number`. */
  readonly expected?: string
  /** What came of it: the event goes on as it is, or without this part, or not at all. */
  readonly outcome: 'reported' | 'omitted' | 'dropped'
  /** Where the handler tracked it; with `NODE_ENV=development` only. */
  readonly stack?: string
}
