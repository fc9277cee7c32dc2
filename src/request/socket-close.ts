import type { Socket } from 'node:net'

interface Watch {
  readonly callbacks: Set<() => void>
  readonly tell: () => void
}

const watches = new WeakMap<Socket, Watch>()

/**
 * Calls back when a socket closes. All callbacks of a socket share one listener: otherwise a client that pipelines a dozen
 * requests would trigger Node's leak warning.
 *
 * @returns A function that removes the callback, and with the last callback the listener.
 * @throws If the socket takes no listener. None is left then.
 */
export function onSocketClose(socket: Socket, closed: () => void): () => void {
  const { callbacks, tell } = watches.get(socket) ?? watch(socket)
  callbacks.add(closed)
  return () => {
    callbacks.delete(closed)
    if (callbacks.size > 0) return
    watches.delete(socket)
    socket.off('close', tell)
  }
}

function watch(socket: Socket): Watch {
  const callbacks = new Set<() => void>()
  const tell = () => {
    for (const closed of callbacks) closed()
  }
  socket.on('close', tell)
  const added = { callbacks, tell }
  watches.set(socket, added)
  return added
}
