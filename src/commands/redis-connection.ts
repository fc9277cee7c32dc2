import { messageOf } from '../delivery/failure.js'
import { connectionOf, type RedisClient } from '../redis/client.js'
import { inTime } from '../support/maybe.js'

/** Milliseconds until a Redis that does not answer is given up. */
const CONNECT_MS = 5_000

/** A client of one of the libraries that know Redis, before it has a connection. */
export interface UnconnectedClient {
  readonly client: RedisClient
  /** Rejects at the first attempt that fails. */
  connect(): Promise<unknown>
  close(): void
}

/** Makes clients with one library: of the Redis at a URL, or of the cluster that this Redis is a part of. */
export type OpenClient = (url: URL, isCluster: boolean) => UnconnectedClient

/** The libraries that are tried, by the names of their packages; loading one rejects where it is not installed. */
export type RedisLibraries = Readonly<Record<string, () => Promise<OpenClient>>>

interface EventClient extends RedisClient {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

interface Access {
  readonly username?: string
  readonly password?: string
}

/** What is used of `redis`, in either of its versions. */
export interface NodeRedisLibrary {
  createClient(options: { url: string }): NodeRedisClient
  createCluster(options: {
    rootNodes: { url: string }[]
    defaults: Access & { socket?: { tls: true } }
  }): NodeRedisClient
}

interface NodeRedisClient extends EventClient {
  readonly isOpen: boolean
  destroy(): unknown
}

/** What is used of `ioredis`, in either of its versions. */
export interface IoRedisLibrary {
  readonly Redis: new (url: string, options: { lazyConnect: boolean }) => IoRedisClient
  readonly Cluster: new (
    nodes: string[],
    options: {
      lazyConnect: boolean
      redisOptions: Access & { tls?: object }
      dnsLookup?: (name: string, found: (error: null, address: string) => void) => void
    },
  ) => IoRedisClient
}

interface IoRedisClient extends EventClient {
  disconnect(): void
}

/** A client with a connection. */
export interface RedisConnection {
  readonly client: RedisClient
  /** Ends it, and keeps the process running no longer. */
  close(): void
}

/** No client library is there, which no second try would mend. */
export class NotInstalled extends Error {}

/** Whether a command line names a Redis, rather than a directory. */
export function isRedisUrl(target: string): boolean {
  return /^rediss?:\/\//.test(target)
}

/**
 * Connects a command to a Redis, with whichever of `redis` and `ioredis` is installed. A part of a cluster stands for the whole.
 *
 * @param url - `redis://` or, with TLS, `rediss://`, with user, password and database where they are needed.
 * @throws If the URL is none, neither library is installed, or Redis does not answer. No message quotes the URL, since it
 * may have a password.
 */
export async function connectRedis(
  url: string,
  libraries: RedisLibraries = LIBRARIES,
): Promise<RedisConnection> {
  const parsed = isRedisUrl(url) && URL.canParse(url) ? new URL(url) : undefined
  if (!parsed) throw new Error('the URL of a Redis is redis://host:port or, with TLS, rediss://host:port')
  const open = await installed(libraries)
  const single = await connected(open(parsed, false), parsed)
  const info = await connectionOf(single.client)
    .send(['INFO', 'server'])
    .catch(() => '')
  if (!/^(?:redis|server)_mode:cluster/m.test(String(info))) return single
  single.close()
  return connected(open(parsed, true), parsed)
}

async function installed(libraries: RedisLibraries): Promise<OpenClient> {
  for (const load of Object.values(libraries)) {
    try {
      return await load()
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
      if (!isMissing) throw error
    }
  }
  const names = Object.keys(libraries)
  throw new NotInstalled(
    `a client of Redis is needed, and neither ${names.join(' nor ')} is installed: npm install ${names[0]}`,
  )
}

async function connected(opened: UnconnectedClient, url: URL): Promise<RedisConnection> {
  try {
    await inTime(opened.connect(), CONNECT_MS)
    return opened
  } catch (error) {
    opened.close()
    throw new Error(`there is no connection to Redis at ${url.host}: ${messageOf(error)}`)
  }
}

/** Makes clients of `redis` (node-redis). */
export function nodeRedis({ createClient, createCluster }: NodeRedisLibrary): OpenClient {
  return (url, isCluster) => {
    const { tls, ...credentials } = accessOf(url)
    const client = isCluster
      ? createCluster({
          rootNodes: [{ url: url.href }],
          defaults: { ...credentials, ...(tls && { socket: { tls: true } }) },
        })
      : createClient({ url: url.href })
    const close = () => {
      if (client.isOpen) client.destroy()
    }
    return opening(client, () => client.connect(), close)
  }
}

/** Makes clients of `ioredis`. */
export function ioRedis({ Redis, Cluster }: IoRedisLibrary): OpenClient {
  return (url, isCluster) => {
    const { tls, ...credentials } = accessOf(url)
    const client = isCluster
      ? new Cluster([url.href], {
          lazyConnect: true,
          redisOptions: { ...credentials, ...(tls && { tls: {} }) },
          // A certificate is of a name: nodes are not to be asked for by their addresses.
          ...(tls && { dnsLookup: (address, found) => found(null, address) }),
        })
      : new Redis(url.href, { lazyConnect: true })
    return opening(
      client,
      () => client.connect(),
      () => client.disconnect(),
    )
  }
}

/** What the nodes of a cluster are entered with, as the one that the URL names. */
function accessOf({ protocol, username, password }: URL): Access & { readonly tls: boolean } {
  return {
    tls: protocol === 'rediss:',
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}

/** Hears the errors of a client: one that nobody listens to would end the process. */
function opening(
  client: EventClient,
  connecting: () => Promise<unknown>,
  close: () => void,
): UnconnectedClient {
  const failed = new Promise<never>((_, reject) => client.on('error', reject))
  failed.catch(() => {})
  return { client, connect: () => Promise.race([connecting(), failed]), close }
}

const LIBRARIES: RedisLibraries = {
  redis: async () => nodeRedis(await import('redis')),
  ioredis: async () => ioRedis(await import('ioredis')),
}
