import { start } from '../processes.js'
import { type GrowthPoint, growthOf, ratioOf, type Spread, spreadOf } from '../statistics.js'
import type { GrowthSeries } from './growth.js'
import type { InProcessCommands } from './index.js'
import type { Cost } from './measure.js'

/** What one step of the way costs an event. */
export interface StepResult {
  readonly step: string
  readonly us: Spread
  readonly bytes: number
}

export interface GrowthResult {
  readonly what: string
  readonly points: readonly GrowthPoint[]
  readonly exponent: number
  readonly growth: string
}

export interface InProcessResult {
  readonly steps: readonly StepResult[]
  /** An event of a request that tracks many; a request with one event; a request with none. */
  readonly way: readonly StepResult[]
  /** CPU of an event before the SDK, over walkerOS's collector with the same destination. */
  readonly overCollector: Spread
  /** CPU of a run of `tracking.run()` with one event, over a request with one. */
  readonly runOverRequest: Spread
  readonly growth: readonly GrowthResult[]
  /** Bytes of heap, before and after each tenth of the requests. */
  readonly heap: {
    readonly people: number
    readonly bare: readonly number[]
    readonly tracked: readonly number[]
  }
}

/** How much is measured. */
export interface Effort {
  readonly rounds: number
  /** Events a measurement. */
  readonly events: number
  /** Distinct users. */
  readonly people: number
}

/** So much room for what is young that no collection comes between: bytes are then what was allocated. */
const NO_COLLECTION = ['--expose-gc', '--max-semi-space-size=128']
const USUAL = ['--expose-gc']

/**
 * Runs what needs no HTTP.
 *
 * @throws If an event did not arrive at the SDK.
 */
export async function runInProcess(file: string, node: string, effort: Effort): Promise<InProcessResult> {
  const { rounds, events, people } = effort
  const timed = await inChild(file, node, USUAL, async (child) => ({
    steps: await child.ask('steps', { rounds }),
    way: await child.ask('way', { rounds }),
  }))
  const counted = await inChild(file, node, NO_COLLECTION, async (child) => ({
    steps: await child.ask('steps', { rounds: Math.min(rounds, 9) }),
    way: await child.ask('way', { rounds: Math.min(rounds, 9) }),
  }))
  const series = await inChild(file, node, USUAL, (child) => child.ask('growth', { rounds, events }))
  const users = await inChild(file, node, USUAL, (child) => child.ask('people', { most: people }))
  const heapOf = (tracked: boolean) =>
    inChild(file, node, USUAL, (child) => child.ask('heap', { people, tracked }))
  return {
    steps: resultsOf(timed.steps, counted.steps),
    way: resultsOf(timed.way, counted.way),
    overCollector: ratioOf(usOf(timed.way['event, rule']), usOf(timed.way['event, collector'])),
    runOverRequest: ratioOf(usOf(timed.way['run, rule']), usOf(timed.way['request, rule'])),
    growth: [...series, users].map(judged),
    heap: { people, bare: await heapOf(false), tracked: await heapOf(true) },
  }
}

async function inChild<R>(
  file: string,
  node: string,
  execArgv: string[],
  use: (child: ReturnType<typeof start<InProcessCommands>>) => Promise<R>,
): Promise<R> {
  const child = start<InProcessCommands>(file, execArgv, node)
  try {
    return await use(child)
  } finally {
    await child.end()
  }
}

function resultsOf(timed: Record<string, Cost[]>, counted: Record<string, Cost[]>): StepResult[] {
  return Object.entries(timed).map(([step, costs]) => ({
    step,
    us: spreadOf(usOf(costs)),
    bytes: Math.round(spreadOf((counted[step] ?? []).map(({ bytes }) => bytes)).median),
  }))
}

function usOf(costs: readonly Cost[] = []): number[] {
  return costs.map(({ us }) => us)
}

function judged({ what, points }: GrowthSeries): GrowthResult {
  return { what, points, ...growthOf(points) }
}
