import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Server, Socket } from 'node:net'

/** A connection that was busy when its server closed falls idle later, and would hold it for its keep-alive time. */
const IDLE_CHECK_MS = 50
/** What has just connected is about to ask; who has said nothing for so long is a browser that connected in advance. */
const SILENT_MS = 1_000

/**
 * Closes a server without cutting off a request, and without waiting for connections that ask for nothing. Node's own
 * `close()` waits for each of these: for one that was busy, its keep-alive time (5 s and more); for one that never sent
 * a byte, a minute; for one of HTTP/2, as long as its client likes.
 */
export class ClosingServer {
  readonly #server: Server
  /** Connections, and when they were made. */
  readonly #connections = new Map<Socket, number>()
  readonly #sessions = new Set<ServerHttp2Session>()

  /** Watches a server's connections from now on. */
  constructor(server: Server) {
    this.#server = server
    server.on('connection', this.#connected)
    server.on('secureConnection', this.#connected)
    server.on('session', this.#opened)
  }

  /** Watches no longer. */
  unwatch(): void {
    this.#server.off('connection', this.#connected)
    this.#server.off('secureConnection', this.#connected)
    this.#server.off('session', this.#opened)
  }

  /** Stops accepting; resolves when the last connection has ended. */
  async close(): Promise<void> {
    const server = this.#server
    // A server that the application is closing itself answers with an error, when it is closed.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.prependListener('request', endConnection)
    for (const session of this.#sessions) session.close()
    this.#endIdle()
    const check = setInterval(() => this.#endIdle(), IDLE_CHECK_MS)
    await closed
    clearInterval(check)
    server.off('request', endConnection)
  }

  /** Ends what is still open: requests, event streams, WebSockets. */
  cutOff(): void {
    callIfThere(this.#server, 'closeAllConnections')
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#connections.keys()) socket.destroy()
  }

  readonly #connected = (socket: Socket): void => {
    this.#connections.set(socket, performance.now())
    socket.once('close', () => this.#connections.delete(socket))
  }

  readonly #opened = (session: ServerHttp2Session): void => {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  #endIdle(): void {
    callIfThere(this.#server, 'closeIdleConnections')
    const now = performance.now()
    for (const [socket, since] of this.#connections) {
      if (socket.bytesRead === 0 && now - since >= SILENT_MS) socket.destroy()
    }
  }
}

/** Tells who goes on using a connection that this request is its last: RFC 9112, section 9.6. */
function endConnection(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 1 && !response.headersSent) response.setHeader('Connection', 'close')
}

/** Only HTTP/1 servers have these methods. */
function callIfThere(server: Server, method: 'closeIdleConnections' | 'closeAllConnections'): void {
  const found: unknown = Reflect.get(server, method)
  if (typeof found === 'function') found.call(server)
}
