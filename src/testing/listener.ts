import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Longer than any pause within a test: closing an idle connection would be a fault that nobody scripted. */
const KEEP_ALIVE_MS = 65_000

/** An HTTP server that can stop and start again on the same port. */
export class Listener {
  readonly #host: string
  readonly #handle: RequestListener
  #port: number
  #server: Server | undefined
  /** Ends with the last start or stop: they run one after another, so that concurrent calls cannot interfere. */
  #turn: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @param port - The port to listen on; 0 chooses a free one, which later starts reuse. */
  constructor(host: string, port: number, handle: RequestListener) {
    this.#host = host
    this.#port = port
    this.#handle = handle
  }

  /** The port; 0 until a free one is chosen. */
  get port(): number {
    return this.#port
  }

  /**
   * Listens; does nothing if it already does.
   *
   * @throws If the port is not available, or after `close()`.
   */
  start(): Promise<void> {
    if (this.#closing) return Promise.reject(new Error('The Segment endpoint is closed; create another one'))
    return this.#inTurn(() => this.#listen())
  }

  /** Stops listening and closes every connection; new ones are refused. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#unlisten())
  }

  /** Stops for good. */
  close(): Promise<void> {
    this.#closing ??= this.stop()
    return this.#closing
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #listen(): Promise<void> {
    if (this.#server) return
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, this.#handle)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const where = `${this.#host}:${this.#port}`
        reject(
          new Error(`The Segment endpoint cannot listen on ${where} (${cause.code}); use another port`, {
            cause,
          }),
        )
      })
      server.listen(this.#port, this.#host, resolve)
    })
    this.#server = server
    this.#port = portOf(server.address())
  }

  async #unlisten(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
