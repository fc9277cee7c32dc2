import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Server, Socket } from 'node:net'

/** How often to close idle connections: one that was busy at the close turns idle later. */
const IDLE_CHECK_MS = 50
/** A new connection is about to send a request; one that stays silent for so long is a browser's preconnect. */
const SILENT_MS = 1_000

/**
 * Closes a server without cutting off a request, and without waiting for connections that carry none. Node's own `close()`
 * waits for those: for the keep-alive time (5 s and more) if a connection was busy, for a minute if it never sent a byte,
 * and for as long as the client likes if it speaks HTTP/2.
 */
export class ClosingServer {
  readonly #server: Server
  /** Each connection, and when it was opened. */
  readonly #connections = new Map<Socket, number>()
  readonly #sessions = new Set<ServerHttp2Session>()

  /** Starts to watch the server's connections. */
  constructor(server: Server) {
    this.#server = server
    server.on('connection', this.#onConnection)
    server.on('secureConnection', this.#onConnection)
    server.on('session', this.#onSession)
  }

  /** Stops watching. */
  unwatch(): void {
    this.#server.off('connection', this.#onConnection)
    this.#server.off('secureConnection', this.#onConnection)
    this.#server.off('session', this.#onSession)
  }

  /** Stops accepting connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    const server = this.#server
    // The callback gets an error if the application has already closed the server; it is called after the close anyway.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.prependListener('request', markAsLast)
    for (const session of this.#sessions) session.close()
    this.#destroyIdle()
    const check = setInterval(() => this.#destroyIdle(), IDLE_CHECK_MS)
    await closed
    clearInterval(check)
    server.off('request', markAsLast)
  }

  /** Destroys all connections: those of open requests, event streams and WebSockets. */
  cutOff(): void {
    callIfPresent(this.#server, 'closeAllConnections')
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#connections.keys()) socket.destroy()
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#connections.set(socket, performance.now())
    socket.once('close', () => this.#connections.delete(socket))
  }

  readonly #onSession = (session: ServerHttp2Session): void => {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  #destroyIdle(): void {
    callIfPresent(this.#server, 'closeIdleConnections')
    const now = performance.now()
    for (const [socket, since] of this.#connections) {
      if (socket.bytesRead === 0 && now - since >= SILENT_MS) socket.destroy()
    }
  }
}

/** Tells the client that this response is the last on its connection: RFC 9112, section 9.6. */
function markAsLast(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 1 && !response.headersSent) response.setHeader('Connection', 'close')
}

/** Calls a method that only HTTP/1 servers have. */
function callIfPresent(server: Server, method: 'closeIdleConnections' | 'closeAllConnections'): void {
  const found: unknown = Reflect.get(server, method)
  if (typeof found === 'function') found.call(server)
}
