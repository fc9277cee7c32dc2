import { openRelayed, type Relayed } from './fleet/relayed.js'
import type { LoadCommands, LoadResult } from './load.js'
import { type Child, start } from './processes.js'
import type { Scenario, Variant } from './scenarios.js'
import type { SegmentCommands } from './segment.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'
import { ratioOf, type Spread, spreadOf } from './statistics.js'

/** What all scenarios are run with. */
export interface Setting {
  readonly files: Readonly<Record<'server' | 'load' | 'segment' | 'relay', string>>
  /** The Node of the servers. */
  readonly node: string
  /** Options of Node for the servers, such as `--cpu-prof`. */
  readonly execArgv?: string[]
  readonly framework: ServerOptions['framework']
  /** How often each variant has its turn. */
  readonly rounds: number
  /** Seconds of load a turn. */
  readonly seconds: number
}

/** What one turn of a variant came to. */
interface Turn extends LoadResult {
  /** Microseconds of the server's CPU for a request, up to the last call's delivery. */
  readonly cpu: number
}

export interface VariantResult {
  readonly name: string
  readonly cpu: Spread
  readonly perSecond: Spread
  readonly p50: Spread
  readonly p99: Spread
  /** Over the scenario's first variant. */
  readonly ratios?: Readonly<Record<Figure, Spread>>
  /** Over the SDK in the handler, where that is not the first. */
  readonly overSdk?: Readonly<Record<Figure, Spread>>
  readonly tracked: number
  readonly received: number
}

export interface ScenarioResult {
  readonly scenario: string
  readonly title: string
  readonly framework: ServerOptions['framework']
  readonly variants: readonly VariantResult[]
}

export const CONNECTIONS = 40
/** The SDK's default of `flushAt`: what is compared with it has the same. */
export const FLUSH_AT = 15
/** Shorter than the default of ten seconds, so that a turn ends soon after its last request. */
export const FLUSH_INTERVAL_MS = 250
const WARM_UP_REQUESTS = 3_000
const ARRIVAL_TIMEOUT_MS = 60_000

/** One variant's server and endpoint. */
class Runner {
  readonly turns: Turn[] = []
  tracked = 0
  readonly #server: Child<ServerCommands>
  readonly #segment: Child<SegmentCommands>
  #relayed: Relayed | undefined
  #url = ''

  constructor(
    readonly variant: Variant,
    private readonly scenario: Scenario,
    private readonly setting: Setting,
    private readonly load: Child<LoadCommands>,
  ) {
    this.#server = start(setting.files.server, setting.execArgv, setting.node)
    this.#segment = start(setting.files.segment)
  }

  async open(): Promise<void> {
    const { way, ambient, hasPlan, handler = this.scenario.handler, isRelayed = false } = this.variant
    const host = await this.#segment.ask('url')
    if (isRelayed) this.#relayed = await openRelayed(this.setting, host)
    this.#url = await this.#server.ask('listen', {
      framework: this.setting.framework,
      way,
      ...(ambient && { ambient }),
      ...(hasPlan && { hasPlan }),
      handler,
      host,
      ...(!this.scenario.hasDefaultBatches && { flushAt: FLUSH_AT }),
      flushInterval: FLUSH_INTERVAL_MS,
      ...(this.#relayed && { redis: this.#relayed.url }),
    })
  }

  /** Requests that are not counted; how many a second the server can take. */
  async warmUp(): Promise<number> {
    const { perSecond } = await this.#send(Math.min(WARM_UP_REQUESTS, this.setting.seconds * 3_000))
    await this.#allReceived()
    return perSecond
  }

  async turn(requests: number): Promise<void> {
    const before = await this.#server.ask('usage')
    const result = await this.#send(requests)
    await this.#allReceived()
    const after = await this.#server.ask('usage')
    this.turns.push({ ...result, cpu: (after.cpu - before.cpu) / (after.handled - before.handled) })
    if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${this.variant.name}`)
  }

  sample() {
    return this.#segment.ask('sample')
  }

  async received(): Promise<number> {
    return (await this.#segment.ask('received')).received
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.end(), this.#segment.end()])
    await this.#relayed?.close()
  }

  async #send(requests: number): Promise<LoadResult> {
    const result = await this.load.ask('send', {
      url: this.#url,
      requests: Math.max(CONNECTIONS, Math.ceil(requests)),
      connections: CONNECTIONS,
      ...(this.scenario.body !== undefined && { body: this.scenario.body }),
    })
    const calls = this.variant.way === 'bare' ? 0 : this.scenario.calls
    this.tracked = (await this.#server.ask('usage')).handled * calls
    return result
  }

  /** Every event arrives: this is where a way to be fast by losing some would show. */
  async #allReceived(): Promise<void> {
    const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
    for (;;) {
      const received = await this.received()
      if (received === this.tracked) return
      if (received > this.tracked || performance.now() > deadline) {
        const books = JSON.stringify(await this.#server.ask('books'))
        throw new Error(
          `${this.scenario.id}, ${this.variant.name}: tracked ${this.tracked}, received ${received}; ${books}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/**
 * Runs a scenario: its variants in turns, A B A B …, each on a server of its own that stays.
 *
 * @throws If a request failed, an event did not arrive, or two variants did not send the same.
 */
export async function runScenario(scenario: Scenario, setting: Setting): Promise<ScenarioResult> {
  const load = start<LoadCommands>(setting.files.load)
  const runners = scenario.variants.map((variant) => new Runner(variant, scenario, setting, load))
  try {
    for (const runner of runners) await runner.open()
    // The first to be warmed up shares its time with a load that is cold itself.
    await runners[0]?.warmUp()
    const rates: number[] = []
    for (const runner of runners) rates.push(await runner.warmUp())
    await assertSame(scenario, runners)
    // As many for each: what a turn costs by itself, such as its connections, would count for more where there are fewer.
    const requests = Math.max(...rates) * setting.seconds
    for (let round = 0; round < setting.rounds; round++) {
      const first = round % runners.length
      for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) await runner.turn(requests)
    }
    const sdk = runners.slice(1).find(({ variant }) => variant.way === 'direct')
    const variants = await Promise.all(runners.map((runner) => resultOf(runner, runners[0], sdk)))
    return { scenario: scenario.id, title: scenario.title, framework: setting.framework, variants }
  } finally {
    await Promise.all([load.end(), ...runners.map((runner) => runner.close())])
  }
}

type Figure = 'cpu' | 'perSecond' | 'p50' | 'p99'

async function resultOf(
  runner: Runner,
  first: Runner | undefined,
  sdk: Runner | undefined,
): Promise<VariantResult> {
  return {
    name: runner.variant.name,
    cpu: spreadOf(figuresOf(runner, 'cpu')),
    perSecond: spreadOf(figuresOf(runner, 'perSecond')),
    p50: spreadOf(figuresOf(runner, 'p50')),
    p99: spreadOf(figuresOf(runner, 'p99')),
    ...(first && runner !== first && { ratios: ratiosOver(first, runner) }),
    ...(sdk && runner !== first && runner !== sdk && { overSdk: ratiosOver(sdk, runner) }),
    tracked: runner.tracked,
    received: await runner.received(),
  }
}

function figuresOf({ turns }: Runner, figure: Figure): number[] {
  return turns.map((turn) => turn[figure])
}

function ratiosOver(other: Runner, runner: Runner): Record<Figure, Spread> {
  const ratio = (figure: Figure) => ratioOf(figuresOf(runner, figure), figuresOf(other, figure))
  return { cpu: ratio('cpu'), perSecond: ratio('perSecond'), p50: ratio('p50'), p99: ratio('p99') }
}

/** What is compared with the SDK has to send what the SDK sends. */
async function assertSame(scenario: Scenario, runners: readonly Runner[]): Promise<void> {
  const isComparable = runners.every(({ variant }) => variant.way !== 'collector' && variant.way !== 'bare')
  if (scenario.calls === 0 || !isComparable) return
  const [first, ...others] = await Promise.all(runners.map((runner) => runner.sample()))
  for (const other of others) {
    const [one, another] = [contentOf(first), contentOf(other)]
    if (one !== another)
      throw new Error(`${scenario.id}: the variants send different calls:\n${one}\n${another}`)
  }
}

/** A call without what differs from one to the next, its members in order. */
function contentOf(call: object | undefined): string {
  return JSON.stringify(call, (key, value: unknown) => {
    if (['messageId', 'timestamp', '_metadata'].includes(key)) return undefined
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
