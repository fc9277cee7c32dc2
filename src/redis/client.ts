import { isRecord } from '../model/values.js'
import { clearTimeout, setTimeout } from '../support/clock.js'

/**
 * A client of Redis that the application has: one of `redis` (node-redis) 5 or 6, or of `ioredis` 5 or 6, single, Sentinel or
 * Cluster. It stays the application's: it is never closed by this package.
 */
export interface RedisClient {
  /** Begins a transaction. */
  multi(...given: never[]): unknown
  /** Makes a connection of the same kind, for reads that wait. The Sentinel client of `redis` 5 has none, and needs none. */
  duplicate?(...given: never[]): unknown
}

/** What a client answers to a command; an `Error` for one command of a transaction that failed. */
export type Reply = unknown

/** A client, whichever library it is of. */
export interface Connection {
  /** Whether a command would be sent now, rather than queued until there is a connection. */
  readonly isReady: boolean
  /** Sends a command. */
  send(command: readonly string[], key?: string): Promise<Reply>
  /**
   * Sends commands that Redis runs one after the other, with nothing between them. All their keys are in one slot.
   *
   * @returns The reply of each, which is an `Error` where it failed; rejects if Redis has run none.
   */
  transaction(commands: readonly (readonly string[])[], key: string): Promise<Reply[]>
  /** Makes a connection of the same kind for commands that wait. */
  duplicate(): Promise<OwnConnection>
}

/** A connection that was made here, and is closed here. */
export interface OwnConnection extends Connection {
  close(): void
}

type Method = (...given: unknown[]) => unknown

/** Milliseconds that a connection of our own may take to be made. */
const CONNECT_MS = 5_000

/** Whether a value is a client that can be used. */
export function isRedisClient(value: unknown): value is RedisClient {
  return (
    isObject(value) &&
    has(value, 'multi') &&
    (has(value, 'duplicate') || has(value, 'acquire')) &&
    (has(value, 'sendCommand') || has(value, 'call'))
  )
}

/** Makes one of the application's client. */
export function connectionOf(client: RedisClient): Connection {
  return isIoRedis(client) ? new IoRedis(client) : new NodeRedis(client)
}

/** Makes one for every node that has keys of its own: a cluster has several. */
export async function nodesOf(client: RedisClient): Promise<Connection[]> {
  const nodes: unknown[] = []
  if (isIoRedis(client) && has(client, 'nodes')) nodes.push(...listOf(call(client, 'nodes', 'master')))
  else if ('masters' in client)
    for (const master of listOf(client.masters)) nodes.push(await call(client, 'nodeClient', master))
  const clients = nodes.filter(isRedisClient)
  return (clients.length > 0 ? clients : [client]).map(connectionOf)
}

class IoRedis implements OwnConnection {
  readonly #client: object

  constructor(client: object) {
    this.#client = client
  }

  get isReady(): boolean {
    const status: unknown = Reflect.get(this.#client, 'status')
    return status === 'ready'
  }

  async send(command: readonly string[]): Promise<Reply> {
    return call(this.#client, 'call', ...command)
  }

  async transaction(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const multi = call(this.#client, 'multi')
    if (!isObject(multi)) throw new Error('the Redis client makes no transactions')
    for (const command of commands) call(multi, 'call', ...command)
    const answered: unknown = await call(multi, 'exec')
    if (!Array.isArray(answered)) throw new Error('Redis has not run the transaction')
    return answered.map((each: unknown) => (Array.isArray(each) ? (each[0] ?? each[1]) : each))
  }

  async duplicate(): Promise<OwnConnection> {
    const own = call(this.#client, 'duplicate')
    if (!isObject(own)) throw new Error('the Redis client makes no second connection')
    onError(own)
    // A socket of ours keeps no process alive.
    const unref = () => {
      const stream: unknown = Reflect.get(own, 'stream')
      if (isObject(stream) && has(stream, 'unref')) call(stream, 'unref')
    }
    call(own, 'on', 'connect', unref)
    if (Reflect.get(own, 'status') === 'wait') await within(call(own, 'connect'))
    unref()
    return new IoRedis(own)
  }

  close(): void {
    call(this.#client, 'disconnect')
  }
}

class NodeRedis implements OwnConnection {
  readonly #client: object
  readonly #kind: 'single' | 'cluster' | 'sentinel'

  constructor(client: object) {
    this.#client = client
    this.#kind = 'masters' in client ? 'cluster' : has(client, 'acquire') ? 'sentinel' : 'single'
  }

  get isReady(): boolean {
    const isReady: unknown = Reflect.get(this.#client, 'isReady')
    return typeof isReady === 'boolean' ? isReady : Reflect.get(this.#client, 'isOpen') === true
  }

  async send(command: readonly string[], key?: string): Promise<Reply> {
    return call(this.#client, 'sendCommand', ...this.#routed(command, key))
  }

  async transaction(commands: readonly (readonly string[])[], key: string): Promise<Reply[]> {
    const multi = this.#kind === 'cluster' ? call(this.#client, 'multi', key) : call(this.#client, 'multi')
    if (!isObject(multi)) throw new Error('the Redis client makes no transactions')
    for (const command of commands) call(multi, 'addCommand', ...this.#routed(command, key))
    try {
      const replies: unknown = await call(multi, 'exec')
      return Array.isArray(replies) ? replies : []
    } catch (error) {
      // It throws where a command has failed, and has what the others have answered.
      const replies: unknown =
        isRecord(error) || error instanceof Error ? Reflect.get(error, 'replies') : undefined
      if (Array.isArray(replies)) return replies
      throw error
    }
  }

  async duplicate(): Promise<OwnConnection> {
    const isOfMaster = this.#kind === 'sentinel'
    const own = isOfMaster ? await within(this.#duplicateOfMaster()) : call(this.#client, 'duplicate')
    if (!isObject(own)) throw new Error('the Redis client makes no second connection')
    onError(own)
    const connection = new NodeRedis(own)
    // Another one may be the master when it is gone.
    if (isOfMaster) call(own, 'on', 'reconnecting', () => connection.close())
    // A socket of ours keeps no process alive.
    if (has(own, 'unref')) call(own, 'unref')
    try {
      await within(call(own, 'connect'))
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  close(): void {
    try {
      const closing = call(this.#client, 'destroy')
      if (closing instanceof Promise) closing.catch(() => {})
    } catch {
      // It was never open.
    }
  }

  /** A client of Sentinel makes no second one in `redis` 5, and in `redis` 6 one whose sockets keep the process alive. */
  #duplicateOfMaster(): unknown {
    const duplicated = async (master: unknown) => isObject(master) && call(master, 'duplicate')
    return call(this.#client, '_execute', false, duplicated)
  }

  #routed(command: readonly string[], key: string | undefined): unknown[] {
    if (this.#kind === 'cluster') return [key, false, command]
    return this.#kind === 'sentinel' ? [false, command] : [command]
  }
}

function isIoRedis(client: object): boolean {
  return has(client, 'call') && typeof Reflect.get(client, 'status') === 'string'
}

/** An `error` that nobody listens to would end the process. What matters of it is told by the commands that fail. */
function onError(client: object): void {
  call(client, 'on', 'error', () => {})
}

async function within(connecting: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no second connection to Redis could be made')), CONNECT_MS)
  })
  try {
    return await Promise.race([connecting, late])
  } finally {
    clearTimeout(timer)
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function call(on: object, name: string, ...given: unknown[]): unknown {
  const method: unknown = Reflect.get(on, name)
  if (typeof method !== 'function') throw new Error(`the Redis client has no ${name}()`)
  return Reflect.apply(method as Method, on, given)
}

function has(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function'
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
