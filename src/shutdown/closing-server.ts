import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { clearInterval, performance, setInterval } from '../support/clock.js'
import { hasNoRequest } from './open-request.js'
import { sessionOf, WatchedSession } from './watched-session.js'

/** How often to close idle connections: one that was busy at the close turns idle later. */
const IDLE_CHECK_MS = 50
/**
 * How long a connection may take to begin a request. One that stays silent for so long is a browser's preconnect. One that
 * is still in its handshake or in half a request head so long after the close belongs to a client that never began.
 */
const PATIENCE_MS = 1_000

/**
 * Closes a server without cutting off a request, and without waiting for connections that carry none. Node's own `close()`
 * waits for those: for the keep-alive time (5 s and more) if a connection was busy, for a minute if it never sent a byte
 * or not enough for a request, and for as long as the client likes if it speaks HTTP/2.
 */
export class ClosingServer {
  readonly #server: Server
  /** Whether its connections begin with a handshake. `node:tls`, which is slow to load, is asked nothing. */
  readonly #isSecure: boolean
  /** Each connection, and when it was opened. */
  readonly #connections = new Map<Socket, number>()
  readonly #sessions = new Set<WatchedSession>()
  /** Connections on which a request was seen: Bun says of them all that nothing was read. */
  readonly #spoken = new WeakSet<Socket>()
  /** TLS connections in their handshake, by their addresses, which they share with the TLS socket that comes of it. */
  readonly #handshakes = new Map<string, Socket>()

  /** Starts to watch the server's connections. */
  constructor(server: Server) {
    this.#server = server
    this.#isSecure = 'setSecureContext' in server
    server.on('connection', this.#onConnection)
    server.on('secureConnection', this.#onSecureConnection)
    server.on('session', this.#onSession)
    server.on('request', this.#onRequest)
  }

  /** Stops watching. */
  unwatch(): void {
    this.#server.off('connection', this.#onConnection)
    this.#server.off('secureConnection', this.#onSecureConnection)
    this.#server.off('session', this.#onSession)
    this.#server.off('request', this.#onRequest)
  }

  /**
   * Stops accepting connections; resolves when the last one has ended.
   *
   * @param timeoutMs - Milliseconds that open requests have. Connections without one have at most half of them.
   */
  async close(timeoutMs: number): Promise<void> {
    const server = this.#server
    const patience = Math.min(PATIENCE_MS, timeoutMs / 2)
    const closedAt = performance.now()
    const destroyIdle = () => this.#destroyIdle(patience, performance.now() - closedAt)
    // The callback gets an error if the application has already closed the server; it is called after the close anyway.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.prependListener('request', markAsLast)
    for (const { session } of this.#sessions) session.close()
    destroyIdle()
    const check = setInterval(destroyIdle, IDLE_CHECK_MS)
    await closed
    clearInterval(check)
    server.off('request', markAsLast)
  }

  /** Destroys all connections: those of open requests, event streams and WebSockets. */
  cutOff(): void {
    callIfPresent(this.#server, 'closeAllConnections')
    for (const { session } of this.#sessions) session.destroy()
    for (const socket of this.#connections.keys()) socket.destroy()
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#watch(socket)
    const addresses = this.#isSecure ? addressesOf(socket) : undefined
    if (!addresses) return
    this.#handshakes.set(addresses, socket)
    socket.once('close', () => this.#handshakes.delete(addresses))
  }

  readonly #onSecureConnection = (socket: Socket): void => {
    this.#watch(socket)
    this.#handshakes.delete(addressesOf(socket) ?? '')
  }

  readonly #onSession = (session: ServerHttp2Session): void => {
    const watched = new WatchedSession(session)
    this.#sessions.add(watched)
    session.once('close', () => this.#sessions.delete(watched))
  }

  readonly #onRequest = ({ socket }: IncomingMessage): void => {
    if (socket) this.#spoken.add(socket)
  }

  #watch(socket: Socket): void {
    this.#connections.set(socket, performance.now())
    socket.once('close', () => this.#connections.delete(socket))
  }

  /**
   * @param patience - How many milliseconds a connection may take to begin a request.
   * @param elapsed - How many milliseconds ago the server was closed.
   */
  #destroyIdle(patience: number, elapsed: number): void {
    callIfPresent(this.#server, 'closeIdleConnections')
    const now = performance.now()
    const handshaking = new Set(this.#handshakes.values())
    for (const [socket, since] of this.#connections) {
      if (now - since < patience) continue
      if (socket.bytesRead === 0 && !this.#spoken.has(socket)) socket.destroy()
      else if (elapsed < patience) continue
      else if (hasNoRequest(socket) || handshaking.has(socket)) socket.destroy()
      else if (sessionOf(socket)?.isUnused(patience)) socket.destroy()
    }
  }
}

/** Both ends of a TCP connection, which no other connection has at the same time; other connections have none. */
function addressesOf(socket: Socket): string | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  return remotePort === undefined ? undefined : [localAddress, localPort, remoteAddress, remotePort].join(' ')
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
