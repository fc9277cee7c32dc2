import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { METRICS_TYPE, metricsOf } from './metrics.js'
import type { KeyRelay } from './relays.js'

const JSON_TYPE = 'application/json; charset=utf-8'
/** Whoever asks asks for little: a connection that says nothing is not kept. */
const SILENT_MS = 10_000

/** What the relays of a process are at the moment. */
export interface Status {
  readonly relays: readonly KeyRelay[]
  /** Why they have not begun; `undefined` once they have. */
  readonly waitsFor: string | undefined
}

/**
 * Serves `/healthz`, `/livez` and `/metrics`.
 *
 * @param bind - The address; all of this machine's by default, since probes come from outside of a container.
 * @throws If the port is taken.
 */
export async function serveStatus(
  port: number,
  bind: string | undefined,
  status: () => Status,
): Promise<Server> {
  const server = createServer({ requestTimeout: SILENT_MS, headersTimeout: SILENT_MS }, (req, res) => {
    answer(req, res, status()).catch(() => {
      if (!res.headersSent) end(res, 500, 'text/plain', 'there is no answer\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(reasonOf(error, port, bind))))
    server.listen({ port, host: bind }, resolve)
  })
  return server
}

/** The port that a server listens on. */
export function portOfServer(server: Server): number | undefined {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' ? address?.port : undefined
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  res: ServerResponse,
  status: Status,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    res.setHeader('allow', 'GET, HEAD')
    return end(res, 405, 'text/plain', 'GET or HEAD\n')
  }
  const [path] = url.split('?')
  if (path === '/livez') return end(res, 200, 'text/plain', 'ok\n')
  if (path === '/healthz') {
    const { isHealthy, body } = healthOf(status)
    return end(res, isHealthy ? 200 : 503, JSON_TYPE, `${JSON.stringify(body)}\n`)
  }
  if (path === '/metrics') return end(res, 200, METRICS_TYPE, await metricsOf(status.relays))
  end(res, 404, 'text/plain', 'there is /healthz, /livez and /metrics\n')
}

/** Healthy is a relay whose Redis answers, and of whose write keys at least one gets calls through. */
function healthOf({ relays, waitsFor }: Status): { readonly isHealthy: boolean; readonly body: object } {
  if (waitsFor !== undefined) return { isHealthy: false, body: { status: 'starting', lastError: waitsFor } }
  const each = relays.map(({ name, writeKeyHash, relay }) => ({
    writeKeyHash,
    ...(name !== undefined && { source: name }),
    ...relay.health(),
  }))
  const isHealthy = each.some(({ state, outbox }) => state === 'ok' && outbox === 'ok')
  return { isHealthy, body: { status: isHealthy ? 'ok' : 'failing', relays: each } }
}

function end(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
  })
  res.end(body)
}

function reasonOf({ code, message }: NodeJS.ErrnoException, port: number, bind: string | undefined): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken: give another one with --port`
  if (code === 'EACCES') return `port ${port} may not be used by this user: give one from 1024 on with --port`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `--bind ${bind} is no address of this machine`
  return `port ${port} cannot be listened on: ${message}`
}
