import { once } from 'node:events'
import { Server, Socket } from 'node:net'
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

/** Connects those who ask this machine for a port that a server of a page has asked for to the one that it was given. */
export function redirectConnect(servers: ReadonlyMap<number, Server>): void {
  const { connect } = Socket.prototype
  Socket.prototype.connect = function redirected(this: Socket, ...args: unknown[]): Socket {
    const [first, ...rest] = withOptions(args)
    // Node's own modules hand on arguments that are in order already, as a list.
    const [options, ...others]: unknown[] = Array.isArray(first) ? first : [first]
    if (!isLocalOf(options)) return Reflect.apply(connect, this, args)
    const address = servers.get(Number(options.port))?.address()
    if (!address || typeof address === 'string') return Reflect.apply(connect, this, args)
    const there = { ...options, port: address.port }
    const given = Array.isArray(first) ? Object.assign(first, [there, ...others]) : there
    return Reflect.apply(connect, this, [given, ...rest])
  }
}

/** A port and a host as the options that they stand for. */
function withOptions(args: readonly unknown[]): readonly unknown[] {
  const [port, host, ...rest] = args
  if (typeof port !== 'number') return args
  return typeof host === 'string' ? [{ port, host }, ...rest] : [{ port }, ...args.slice(1)]
}

function isLocalOf(options: unknown): options is { port: unknown } {
  if (typeof options !== 'object' || options === null || !('port' in options)) return false
  const host = 'host' in options ? options.host : undefined
  return host === undefined || host === 'localhost' || host === '127.0.0.1'
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
