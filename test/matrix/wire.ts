import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A client that speaks HTTP by hand, and keeps every byte that it is sent. */
export class Wire {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  /** Resolves when the connection has closed, whoever closed it. */
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    // A server that destroys the connection is what some scenarios are about.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()))
  }

  /** Connects to a server and begins to read. */
  static async connect(port: number): Promise<Wire> {
    const wire = await Wire.connectUnread(port)
    wire.#socket.on('data', (chunk) => wire.#chunks.push(chunk))
    return wire
  }

  /** Connects to a server and reads nothing before `readSlowly`. */
  static async connectUnread(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  /** All that was received. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  /** Reads small pieces with pauses, until the server closes. */
  async readSlowly(): Promise<void> {
    const socket = this.#socket
    for await (const chunk of socket) {
      this.#chunks.push(chunk)
      await new Promise(setImmediate)
    }
    await this.closed
  }

  /** Resolves when something has been received so many times; throws if the connection closes before. */
  async received(text: string, times = 1): Promise<void> {
    while (this.bytes.toString('latin1').split(text).length <= times) {
      const event = await Promise.race([once(this.#socket, 'data').then(() => 'data'), this.closed])
      if (event === undefined) throw new Error(`closed before ${JSON.stringify(text)} came ${times} times`)
    }
  }

  /** Leaves without a word. */
  async leave(): Promise<void> {
    this.#socket.destroy()
    await this.closed
  }

  /** Breaks the connection off with a reset. */
  async reset(): Promise<void> {
    this.#socket.resetAndDestroy()
    await this.closed
  }
}
