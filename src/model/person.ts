/** A person, as far as a request or a handler knows them. */
export interface Person {
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  /** More about them, in walkerOS's terms (`email`, `country`, …). */
  readonly details: Readonly<Record<string, unknown>> | undefined
}
