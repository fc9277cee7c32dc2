import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FarEndpointCommands } from './far-endpoint.js'
import type { Setting } from './http.js'
import type { PacedLoadCommands } from './paced-load.js'
import { start } from './processes.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'

/** How Segment is called: where something is left out, by the default of whoever calls. */
type Variant = Pick<ServerOptions, 'way' | 'flushAt' | 'maxInFlight'> & { readonly name: string }

const VARIANTS: readonly Variant[] = [
  { name: 'reqtrack', way: 'mounted' },
  ...[1, 2, 8, 16].map(
    (maxInFlight): Variant => ({
      name: `reqtrack, maxInFlight: ${maxInFlight}`,
      way: 'mounted',
      maxInFlight,
    }),
  ),
  ...[15, 50].map((flushAt): Variant => ({ name: `reqtrack, flushAt: ${flushAt}`, way: 'mounted', flushAt })),
  { name: '@segment/analytics-node', way: 'direct' },
  { name: 'posthog-node', way: 'posthog' },
]

/** One way to an endpoint that is far away. */
export interface FarResult {
  readonly name: string
  /** The load's p99, in milliseconds from the time that a request was due. */
  readonly p99: number
  /** Microseconds of CPU for a request, until its last event has arrived. */
  readonly cpu: number
  /** Connections that were opened to the endpoint, and the most at a time. */
  readonly connections: number
  readonly mostConnections: number
  /** Requests to the endpoint. */
  readonly sent: number
  /** Milliseconds from the last answer to the arrival of the last event. */
  readonly late: number
  /** Bytes of the process at its peak, over what it had when idle. */
  readonly overIdle: number
  readonly tracked: number
  readonly received: number
}

export interface FarResults {
  readonly rate: number
  readonly seconds: number
  readonly latencyMs: number
  readonly ways: readonly FarResult[]
}

const LATENCY_MS = 80
const CONNECTIONS = 40
const ARRIVAL_TIMEOUT_MS = 60_000

/**
 * The endpoint is behind TLS, and a packet takes 40 ms there and 40 back: a handshake takes several of those. Each variant
 * has a fresh process and an endpoint of its own.
 *
 * @param rate - Requests a second, one event each.
 * @throws If a request failed, or an event of reqtrack did not arrive.
 */
export async function runFar(
  setting: Setting & { readonly files: Readonly<Record<'farEndpoint' | 'pacedLoad', string>> },
  rate: number,
  seconds: number,
): Promise<FarResults> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-far-'))
  try {
    const certificate = certificateIn(directory)
    const ways: FarResult[] = []
    for (const variant of VARIANTS) ways.push(await run(setting, variant, certificate, rate, seconds))
    return { rate, seconds, latencyMs: LATENCY_MS, ways }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function run(
  setting: Parameters<typeof runFar>[0],
  { name, ...options }: Variant,
  certificate: { readonly key: string; readonly cert: string },
  rate: number,
  seconds: number,
): Promise<FarResult> {
  const server = start<ServerCommands>(setting.files.server, setting.execArgv, setting.node, {
    NODE_EXTRA_CA_CERTS: certificate.cert,
  })
  const endpoint = start<FarEndpointCommands>(setting.files.farEndpoint)
  const load = start<PacedLoadCommands>(setting.files.pacedLoad)
  try {
    const url = await server.ask('listen', {
      framework: 'express',
      ...options,
      handler: 'order',
      host: await endpoint.ask('listen', { ...certificate, latencyMs: LATENCY_MS }),
      flushInterval: 1_000,
    })
    const before = await server.ask('usage')
    const { p99, requests, failed } = await load.ask('send', { url, rate, seconds, connections: CONNECTIONS })
    const answeredAt = performance.timeOrigin + performance.now()
    if (failed > 0) throw new Error(`${failed} requests failed: ${name}`)
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
    let last = await endpoint.ask('received')
    while (last.received < requests && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      last = await endpoint.ask('received')
    }
    if (options.way === 'mounted' && last.received !== requests) {
      const books = JSON.stringify(await server.ask('books'))
      throw new Error(`${name}: tracked ${requests}, received ${last.received}; ${books}`)
    }
    const after = await server.ask('usage')
    return {
      name,
      p99,
      cpu: (after.cpu - before.cpu) / requests,
      connections: last.connections,
      mostConnections: last.mostConnections,
      sent: last.requests,
      late: Math.max(0, last.lastAt - answeredAt),
      overIdle: after.peak - before.rss,
      tracked: requests,
      received: last.received,
    }
  } finally {
    await Promise.all([server.end(), endpoint.end(), load.end()])
  }
}

/** A certificate for the loopback address, which servers are told to trust. */
function certificateIn(directory: string): { key: string; cert: string } {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  )
  return { key, cert }
}
