/** What a request or a handler knows of a person. */
export interface Person {
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  /** Further facts in walkerOS's terms (`email`, `country`, …). */
  readonly details: Readonly<Record<string, unknown>> | undefined
}
