import { once } from 'node:events'
import { Server } from 'node:net'
import { format } from 'node:util'

/** Whatever would leave the machine for Segment goes to a local endpoint. */
export function redirectFetch(endpoint: string): void {
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => {
    const { hostname, pathname } = new URL(input instanceof Request ? input.url : input)
    const isSegments = /\.segment(?:apis)?\.(?:io|com)$/.test(hostname)
    return fetch(isSegments ? `${endpoint}${pathname}` : input, init)
  }
}

/**
 * Gives every server a free port, whichever it asks for: pages have one on 3000 after the other.
 *
 * @returns The last server that asked for each port.
 */
export function redirectListen(): ReadonlyMap<number, Server> {
  const servers = new Map<number, Server>()
  const { listen } = Server.prototype
  Server.prototype.listen = function redirected(this: Server, ...args: unknown[]): Server {
    const [first, ...rest] = args
    const options = typeof first === 'object' && first !== null ? first : undefined
    const asked = Number(options && 'port' in options ? options.port : first)
    if (!asked) return Reflect.apply(listen, this, args)
    servers.set(asked, this)
    return Reflect.apply(listen, this, [options ? { ...options, port: 0 } : 0, ...rest])
  }
  return servers
}

/** @returns The port that a server really has. */
export async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** What is written with `console` from now on. */
export interface Output {
  text(): string
  add(more: string): void
  clear(): void
}

/** Takes what is written with `console`, instead of letting it be shown. */
export function captureOutput(): Output {
  let text = ''
  const add = (more: string) => {
    text += more === '' || more.endsWith('\n') ? more : `${more}\n`
  }
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    console[level] = (...args: unknown[]) => add(format(...args))
  }
  return {
    add,
    text: () => text,
    clear: () => {
      text = ''
    },
  }
}
