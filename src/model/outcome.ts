/** How a request ended. */
export interface Outcome {
  /** The status of the response; none where it was aborted, since frameworks then report one that was never sent. */
  readonly status: number | undefined
  /**
   * Whether the connection closed before the response was complete: before all of it was handed to the operating system.
   * Whether the client has read it no server knows.
   */
  readonly aborted: boolean
  /** The pattern of the route that took the request, where the framework tells. */
  readonly route: string | undefined
  /** Milliseconds from the middleware to the end. */
  readonly durationMs: number
}
