/** How long something may take. */
export interface TimeoutOptions {
  /** Milliseconds. Defaults to 5000. */
  timeout?: number
}
