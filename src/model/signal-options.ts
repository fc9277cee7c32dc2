import type { Server } from 'node:net'

/** How a process shuts down on a signal. */
export interface SignalOptions {
  /**
   * The servers to close first: HTTP, HTTPS or HTTP/2, such as `app.listen()` of Express and Koa returns. Defaults to none.
   */
  server?: Server | readonly Server[] | undefined
  /** The signals that start the shutdown. Defaults to `SIGTERM` and `SIGINT`. */
  signals?: readonly NodeJS.Signals[] | undefined
  /** Milliseconds for the whole shutdown: closing the servers and the tracking. Defaults to 10000. */
  timeout?: number | undefined
  /**
   * Milliseconds to keep serving after the signal, until load balancers send no more requests. Not part of `timeout`.
   * Defaults to 0.
   */
  delay?: number | undefined
  /** No option: it makes the compiler refuse a server or an application in place of the options. */
  listen?: never
}
