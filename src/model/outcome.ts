/** How a request ended. */
export interface Outcome {
  /** The status of the response; none if it was aborted, because frameworks then report one that was never sent. */
  readonly status: number | undefined
  /**
   * Whether the connection closed before the whole response was handed to the operating system. No server knows whether
   * the client has read it.
   */
  readonly aborted: boolean
  /** The pattern of the route that took the request, if the framework says. */
  readonly route: string | undefined
  /** Milliseconds from the middleware to the end. */
  readonly durationMs: number
}
