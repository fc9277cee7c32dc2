import type { EndpointCommands } from './endpoint.js'
import { CONNECTIONS, FLUSH_AT, FLUSH_INTERVAL_MS, type Setting } from './http.js'
import type { LoadCommands } from './load.js'
import { type Child, start } from './processes.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'
import { ratioOf, type Spread, spreadOf } from './statistics.js'

/** What users would take instead, and what they would have without. */
type Peer = Pick<ServerOptions, 'way' | 'flushAt'> & { readonly name: string }

const BARE = 'bare'
const REQTRACK = 'reqtrack'
const SDK = '@segment/analytics-node'

// Each has its own default for the size of a batch: what it sends together is what it makes of it.
const PEERS: readonly Peer[] = [
  { name: BARE, way: 'bare' },
  { name: REQTRACK, way: 'mounted' },
  { name: `${REQTRACK}, flushAt: ${FLUSH_AT}`, way: 'mounted', flushAt: FLUSH_AT },
  { name: SDK, way: 'direct' },
  { name: 'posthog-node', way: 'posthog' },
  { name: '@rudderstack/rudder-sdk-node', way: 'rudder' },
  { name: '@amplitude/analytics-node', way: 'amplitude' },
]

/** A peer's figures. */
export interface PeerResult {
  readonly name: string
  /** Requests a second over the load until all its events have arrived. */
  readonly perSecond: Spread
  readonly p99: Spread
  /** Microseconds of the server's CPU for a request, until all events have arrived. */
  readonly cpu: Spread
  /** Requests to the endpoint a turn. */
  readonly requests: Spread
  /** Bytes of the process at its peak. */
  readonly peak: number
  readonly tracked: number
  readonly received: number
  /** What reqtrack has of this one's throughput and p99, in the same rounds. */
  readonly reqtrackOver?: Readonly<Record<'perSecond' | 'p99', Spread>>
}

export interface PeersResult {
  readonly framework: ServerOptions['framework']
  /** Requests a turn. */
  readonly load: number
  readonly peers: readonly PeerResult[]
  /** reqtrack's CPU over the bare server's, against that of the SDK. */
  readonly overBare: number
}

/** One turn's figures. */
interface Turn {
  readonly perSecond: number
  readonly p99: number
  readonly cpu: number
  readonly requests: number
}

const WARM_UP_REQUESTS = 3_000
/** Whoever is late may be late, while something arrives. */
const PATIENCE_MS = 15_000

/**
 * One event a request, whoever tracks it: the peers take turns, each on a server and with an endpoint of its own that stay.
 * A turn ends when all its events have arrived, so that nobody wins by being late.
 *
 * @param requests - How many a turn.
 * @throws If a request failed, or an event of reqtrack did not arrive.
 */
export async function runPeers(
  setting: Setting & { readonly files: Readonly<Record<'endpoint', string>> },
  requests: number,
): Promise<PeersResult> {
  const load = start<LoadCommands>(setting.files.load)
  const runners = PEERS.map((peer) => new Runner(peer, setting, load))
  try {
    for (const runner of runners) await runner.open()
    for (const runner of [...runners.slice(0, 1), ...runners])
      await runner.turn(Math.min(WARM_UP_REQUESTS, requests))
    for (const runner of runners) runner.turns.length = 0
    for (let round = 0; round < setting.rounds; round++) {
      const first = round % runners.length
      for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) await runner.turn(requests)
    }
    const own = runners.find(({ peer }) => peer.name === REQTRACK)
    const peers = await Promise.all(runners.map((runner) => runner.result(own)))
    return { framework: setting.framework, load: requests, peers, overBare: overBareOf(peers) }
  } finally {
    await Promise.all([load.end(), ...runners.map((runner) => runner.close())])
  }
}

/** One peer's server and endpoint. */
class Runner {
  readonly turns: Turn[] = []
  readonly #server: Child<ServerCommands>
  readonly #endpoint: Child<EndpointCommands>
  #url = ''
  #tracked = 0

  constructor(
    readonly peer: Peer,
    private readonly setting: Setting & { readonly files: Readonly<Record<'endpoint', string>> },
    private readonly load: Child<LoadCommands>,
  ) {
    this.#server = start(setting.files.server, setting.execArgv, setting.node)
    this.#endpoint = start(setting.files.endpoint)
  }

  async open(): Promise<void> {
    const { way, flushAt } = this.peer
    this.#url = await this.#server.ask('listen', {
      framework: this.setting.framework,
      way,
      handler: 'order',
      host: await this.#endpoint.ask('url'),
      ...(flushAt !== undefined && { flushAt }),
      flushInterval: FLUSH_INTERVAL_MS,
    })
  }

  async turn(requests: number): Promise<void> {
    const before = await this.#server.ask('usage')
    const earlier = await this.#endpoint.ask('received')
    const connections = CONNECTIONS
    const { startedAt, perSecond, p99, failed } = await this.load.ask('send', {
      url: this.#url,
      requests,
      connections,
    })
    if (failed > 0) throw new Error(`${failed} requests failed: ${this.peer.name}`)
    if (this.peer.way !== 'bare') this.#tracked += requests
    const arrived = await this.#arrived(earlier.received + (this.peer.way === 'bare' ? 0 : requests))
    const after = await this.#server.ask('usage')
    this.turns.push({
      perSecond:
        this.peer.way === 'bare' ? perSecond : (requests * 1_000) / Math.max(1, arrived.lastAt - startedAt),
      p99,
      cpu: (after.cpu - before.cpu) / requests,
      requests: arrived.requests - earlier.requests,
    })
  }

  async result(own: Runner | undefined): Promise<PeerResult> {
    const of = (figure: keyof Turn, { turns }: Runner = this) => turns.map((turn) => turn[figure])
    const over = (figure: keyof Turn) => own && ratioOf(of(figure, own), of(figure))
    const [perSecond, p99] = [over('perSecond'), over('p99')]
    return {
      name: this.peer.name,
      perSecond: spreadOf(of('perSecond')),
      p99: spreadOf(of('p99')),
      cpu: spreadOf(of('cpu')),
      requests: spreadOf(of('requests')),
      peak: (await this.#server.ask('usage')).peak,
      tracked: this.#tracked,
      received: (await this.#endpoint.ask('received')).received,
      ...(own !== this && perSecond && p99 && { reqtrackOver: { perSecond, p99 } }),
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.end(), this.#endpoint.end()])
  }

  /** Waits until every event has arrived. Others may lose some, and then count as having been served in that time. */
  async #arrived(wanted: number) {
    let last = await this.#endpoint.ask('received')
    let changed = performance.now()
    while (last.received < wanted && performance.now() - changed < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      const now = await this.#endpoint.ask('received')
      if (now.received !== last.received) changed = performance.now()
      last = now
    }
    if (this.peer.way === 'mounted' && last.received !== this.#tracked) {
      const books = JSON.stringify(await this.#server.ask('books'))
      throw new Error(`${this.peer.name}: tracked ${this.#tracked}, received ${last.received}; ${books}`)
    }
    return last
  }
}

function overBareOf(peers: readonly PeerResult[]): number {
  const cpuOf = (wanted: string) => peers.find(({ name }) => name === wanted)?.cpu.median ?? Number.NaN
  return (cpuOf(REQTRACK) - cpuOf(BARE)) / (cpuOf(SDK) - cpuOf(BARE))
}
