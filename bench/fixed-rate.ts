import type { EndpointCommands } from './endpoint.js'
import { FLUSH_INTERVAL_MS, type Setting } from './http.js'
import type { LoadCommands } from './load.js'
import type { PacedLoadCommands } from './paced-load.js'
import { start } from './processes.js'
import type { ServerCommands } from './server/index.js'
import type { HandlerKind, ServerOptions } from './server/options.js'
import { type Spread, spreadOf } from './statistics.js'

const WAYS: readonly (Pick<ServerOptions, 'way'> & { readonly name: string })[] = [
  { name: 'bare', way: 'bare' },
  { name: 'reqtrack', way: 'mounted' },
  { name: '@segment/analytics-node', way: 'direct' },
  { name: 'posthog-node', way: 'posthog' },
]

/** One way at one rate. */
export interface RateResult {
  readonly name: string
  /** Of what the bare server can serve. */
  readonly share: number
  /** Requests a second that were due. */
  readonly rate: number
  /** Answers a second: less than were due where the server is overloaded. */
  readonly perSecond: Spread
  /** From the time that a request was due, in milliseconds. */
  readonly latency: Readonly<Record<'p50' | 'p99' | 'p999', Spread>>
}

export interface RatesResult {
  readonly framework: ServerOptions['framework']
  readonly calls: number
  /** Requests a second that the bare server can serve. */
  readonly capacity: number
  readonly rates: readonly RateResult[]
}

const SHARES = [0.5, 0.7, 0.9]
const CONNECTIONS = 100
const WARM_UP_REQUESTS = 3_000
const ARRIVAL_TIMEOUT_MS = 60_000

/**
 * Latencies at a fixed rate, which does not wait for a server that is slow. The capacity is the bare server's, measured
 * with the same number of processes on the machine.
 *
 * @param handler - `order` for one event a request, `many` for seven.
 * @throws If a request failed.
 */
export async function runFixedRates(
  setting: Setting & { readonly files: Readonly<Record<'endpoint' | 'pacedLoad', string>> },
  handler: Extract<HandlerKind, 'order' | 'many'>,
): Promise<RatesResult> {
  const load = start<LoadCommands>(setting.files.load)
  const paced = start<PacedLoadCommands>(setting.files.pacedLoad)
  const servers = await Promise.all(WAYS.map((each) => open(setting, each, handler)))
  try {
    let capacity = 0
    for (const { url, way, drain } of [...servers.slice(0, 1), ...servers]) {
      const { perSecond } = await load.ask('send', {
        url,
        requests: WARM_UP_REQUESTS * Math.min(1, setting.seconds),
        connections: CONNECTIONS,
      })
      if (way === 'bare') capacity = perSecond
      await drain()
    }
    const rates: RateResult[] = []
    for (const share of SHARES) {
      const turns = servers.map(({ name }) => ({ name, results: [] as Awaited<ReturnType<typeof turn>>[] }))
      for (let round = 0; round < setting.rounds; round++) {
        for (const [index, server] of servers.entries()) {
          turns[index]?.results.push(await turn(server.url, share * capacity))
          await server.drain()
        }
      }
      for (const { name, results } of turns) {
        const of = (figure: 'perSecond' | 'p50' | 'p99' | 'p999') =>
          spreadOf(results.map((result) => result[figure]))
        rates.push({
          name,
          share,
          rate: share * capacity,
          perSecond: of('perSecond'),
          latency: { p50: of('p50'), p99: of('p99'), p999: of('p999') },
        })
      }
    }
    return { framework: setting.framework, calls: handler === 'many' ? 7 : 1, capacity, rates }
  } finally {
    await Promise.all([load.end(), paced.end(), ...servers.map((server) => server.close())])
  }

  async function turn(url: string, rate: number) {
    const result = await paced.ask('send', { url, rate, seconds: setting.seconds, connections: CONNECTIONS })
    if (result.failed > 0) throw new Error(`${result.failed} requests failed at ${rate.toFixed(0)} a second`)
    return result
  }
}

/** A server, its endpoint, and the wait until what it has tracked has arrived. */
async function open(
  setting: Setting & { readonly files: Readonly<Record<'endpoint', string>> },
  { name, way }: (typeof WAYS)[number],
  handler: HandlerKind,
) {
  const server = start<ServerCommands>(setting.files.server, setting.execArgv, setting.node)
  const endpoint = start<EndpointCommands>(setting.files.endpoint)
  const url = await server.ask('listen', {
    framework: setting.framework,
    way,
    handler,
    host: await endpoint.ask('url'),
    flushInterval: FLUSH_INTERVAL_MS,
  })
  /** Nothing new for as long as two intervals: all has arrived, however much of it there was. */
  const drain = async () => {
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
    for (let before = -1; performance.now() < deadline; ) {
      const { received } = await endpoint.ask('received')
      if (received === before || way === 'bare') return
      before = received
      await new Promise((resolve) => setTimeout(resolve, 2 * FLUSH_INTERVAL_MS))
    }
  }
  const close = () => Promise.all([server.end(), endpoint.end()])
  return { name, way, url, drain, close }
}
