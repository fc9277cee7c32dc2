import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { onTestFinished } from 'vitest'
import { freePort } from '../../scripts/free-port.js'
import { createTracking, type Tracker, type Tracking, type TrackingConfig } from '../../src/index.js'
import { createSegmentServer, type SegmentServer } from '../../src/testing/index.js'
import { PATIENCE_MS } from './patience-ms.js'

/** A local Segment endpoint that is closed when the test ends. Nobody takes its port while it is stopped. */
export async function segmentServer(): Promise<SegmentServer> {
  const segment = await createSegmentServer({ port: await freePort() })
  onTestFinished(() => segment.close())
  const { waitFor } = segment
  segment.waitFor = (wanted: unknown, timeout = PATIENCE_MS) =>
    Reflect.apply(waitFor, undefined, [wanted, timeout])
  return segment
}

/** A tracking that sends to a local endpoint, shut down when the test ends. */
export function trackingTo(
  segment: SegmentServer,
  config: Omit<TrackingConfig, 'settings'> & { settings?: Partial<TrackingConfig['settings']> } = {},
): Tracking {
  const tracking = createTracking({
    ...config,
    settings: { writeKey: 'test-key', host: segment.url, flushInterval: 50, ...config.settings },
  })
  onTestFinished(async () => {
    await tracking.shutdown({ timeout: 1_000 })
  })
  return tracking
}

/** Serves an application on a free port of the loopback interface until the test ends. */
export async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { url: `http://127.0.0.1:${address.port}`, server }
}

/** Runs a handler in a real request of a bare Node server, and resolves when the client has the response. */
export type InRequest = (
  handler: (tracker: Tracker, req: IncomingMessage, res: ServerResponse) => void | Promise<void>,
  headers?: Record<string, string>,
) => Promise<void>

/** A bare Node server for a tracking: each request runs the handler that it was made for. */
export async function requestsOf(tracking: Tracking): Promise<InRequest> {
  const handlers = new Map<string, Parameters<InRequest>[0]>()
  const ended = new Map<string, () => void>()
  const { url } = await serve(async (req, res) => {
    // The client can have the response before the server knows that it is sent.
    res.on('close', () => ended.get(req.url ?? '')?.())
    await handlers.get(req.url ?? '')?.(tracking.handle(req, res), req, res)
    if (!res.writableEnded) res.end('ok')
  })
  return async (handler, headers = {}) => {
    const path = `/${handlers.size}`
    handlers.set(path, handler)
    const closed = new Promise<void>((resolve) => ended.set(path, resolve))
    await (await fetch(url + path, { headers })).text()
    await closed
  }
}

/** The cookie that names an anonymous visitor. */
export function visitor(anonymousId: string): Record<string, string> {
  return { cookie: `ajs_anonymous_id=${anonymousId}` }
}
