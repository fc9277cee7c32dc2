import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { performance } from '../support/clock.js'

/** The key of its session on a socket. A session shows only a proxy of its socket, which passes this property on. */
const SESSION = Symbol('reqtrack.session')

/** An HTTP/2 session, and whether its connection is still used. */
export class WatchedSession {
  readonly session: ServerHttp2Session
  #destroyedAt: number | undefined

  constructor(session: ServerHttp2Session) {
    this.session = session
    Reflect.set(session.socket, SESSION, this)
  }

  /**
   * Whether nothing goes over the connection any more: the session had no stream, or was destroyed and waits for its client
   * to close the connection.
   *
   * @param patience - How many milliseconds the client has for that, from the first time that this is asked.
   */
  isUnused(patience: number): boolean {
    if (!this.session.destroyed) return this.session.state.lastProcStreamID === 0
    const now = performance.now()
    this.#destroyedAt ??= now
    return now - this.#destroyedAt >= patience
  }
}

/** The session of a socket, if it speaks HTTP/2. */
export function sessionOf(socket: Socket): WatchedSession | undefined {
  const found: unknown = Reflect.get(socket, SESSION)
  return found instanceof WatchedSession ? found : undefined
}
