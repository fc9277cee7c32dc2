import { connect, createServer, type Socket } from 'node:net'

/** A wire between processes and a Redis, which can be cut, hung up, and laid to another Redis. */
export interface Wire {
  readonly port: number
  readonly url: string
  /** Ends all connections, and takes none until it is mended. */
  cut(): void
  /** Lets nothing through, and closes nothing, until it is mended. */
  hang(): void
  /** Lets everything through again. Connections that hung are ended. */
  mend(): void
  /** Ends all connections; new ones go to another port. */
  to(port: number): void
  close(): void
}

/** Lays a wire to a port of this machine. */
export async function proxyTo(port: number): Promise<Wire> {
  let target = port
  let state: 'open' | 'cut' | 'hung' = 'open'
  const sockets = new Set<Socket>()
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    if (state === 'cut') return near.destroy()
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => {
        if (state === 'open') to.write(data)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        // The other end of a half-open connection hears nothing of it.
        if (state !== 'hung') to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port')
  return {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    cut() {
      state = 'cut'
      endAll()
    },
    hang() {
      state = 'hung'
    },
    mend() {
      const wasHung = state === 'hung'
      state = 'open'
      if (wasHung) endAll()
    },
    to(other) {
      target = other
      endAll()
    },
    close() {
      server.close()
      endAll()
    },
  }
}
