import { readFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { takingEvents } from './event-listener.js'
import { serve } from './processes.js'
import { ReceivedEvents } from './received-events.js'

// An endpoint behind TLS, with the way to it as long as one through the internet.

interface FarEndpoint {
  readonly key: string
  readonly cert: string
  /** A round trip, in milliseconds. */
  readonly latencyMs: number
}

const events = new ReceivedEvents()
let connections = 0
let open = 0
let mostConnections = 0

/** Hands on what comes, half a round trip later, in its order. */
function later(from: Socket, to: Socket, ms: number): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), ms))
  from.on('end', () => setTimeout(() => to.end(), ms))
  from.on('error', () => setTimeout(() => to.destroy(), ms))
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return port
}

const commands = {
  async listen({ key, cert, latencyMs }: FarEndpoint): Promise<string> {
    const near = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, takingEvents(events))
    const nearPort = await listening(near)
    const way = createServer((client) => {
      connections++
      mostConnections = Math.max(mostConnections, ++open)
      client.on('close', () => open--)
      const server = connect(nearPort, '127.0.0.1')
      later(client.setNoDelay(), server.setNoDelay(), latencyMs / 2)
      later(server, client, latencyMs / 2)
    })
    return `https://127.0.0.1:${await listening(way)}`
  },
  received: () => ({ ...events.counts, connections, mostConnections }),
}

export type FarEndpointCommands = typeof commands

serve(commands)
