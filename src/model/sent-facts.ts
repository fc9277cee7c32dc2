/** The page on which an event happened, as a browser names it: unchecked texts. */
export interface SentPage {
  readonly url: string | undefined
  readonly referrer: string | undefined
  readonly title: string | undefined
}

/** What only the browser knows of an event that it has sent. Everything else is the request's own. */
export interface SentFacts {
  readonly page?: SentPage | undefined
  /** Stands in where the request has no anonymousId of its own. */
  readonly anonymousId?: string | undefined
  /** Seconds since the page was loaded. */
  readonly timing?: number | undefined
}
