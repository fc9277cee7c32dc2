import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Longer than any pause within a test: a connection that ends between two requests is a fault nobody scripted. */
const KEEP_ALIVE_MS = 65_000

/** An HTTP server that can go away and come back on the same port. */
export class Listener {
  readonly #host: string
  readonly #handle: RequestListener
  #port: number
  #server: Server | undefined
  /** Starting and stopping take turns, so that two calls at a time do not get in each other's way. */
  #turn: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @param port - Where to listen; 0 for a free port, which is kept from then on. */
  constructor(host: string, port: number, handle: RequestListener) {
    this.#host = host
    this.#port = port
    this.#handle = handle
  }

  /** The port listened to; 0 until one has been found. */
  get port(): number {
    return this.#port
  }

  /**
   * Listens; does nothing where it does already.
   *
   * @throws If the port cannot be had, or the listener is closed for good.
   */
  start(): Promise<void> {
    if (this.#closing) return Promise.reject(new Error('The Segment endpoint is closed; create another one'))
    return this.#inTurn(() => this.#listen())
  }

  /** Stops listening and ends every connection: who connects is refused. */
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
