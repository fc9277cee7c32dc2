import { ordinary } from '../request/costly.js'
import { type Costs, openCostMeter, requestOf } from './cost-meter.js'
import type { Ports } from './cost-server.js'

/** What is measured against another request, as a multiple of what that adds. */
export interface Ratios {
  readonly cpu: number
  readonly memory: number
}

/** A request with one event, as a browser sends it. */
export const usual = requestOf(ordinary.url ?? '/', ordinary.headers ?? {})

/** What a request adds: the least of all measurements so far. */
class Added {
  readonly #costs: Costs
  readonly #bytes: Buffer
  readonly #untracked: keyof Ports
  readonly #least = { tracked: Number.POSITIVE_INFINITY, untracked: Number.POSITIVE_INFINITY }
  readonly #allocated: number[] = []

  constructor(costs: Costs, bytes: Buffer, untracked: keyof Ports) {
    this.#costs = costs
    this.#bytes = bytes
    this.#untracked = untracked
  }

  async measure(): Promise<void> {
    const untracked = await this.#costs(this.#untracked, this.#bytes)
    const tracked = await this.#costs('tracked', this.#bytes)
    this.#least.untracked = Math.min(this.#least.untracked, untracked.us)
    this.#least.tracked = Math.min(this.#least.tracked, tracked.us)
    this.#allocated.push(tracked.allocated - untracked.allocated)
  }

  /** Microseconds of CPU. */
  get us(): number {
    return this.#least.tracked - this.#least.untracked
  }

  /** Bytes; the median, since a collection that comes between makes one of them negative. */
  get allocated(): number {
    const inOrder = this.#allocated.toSorted((one, other) => one - other)
    return inOrder[Math.floor(inOrder.length / 2)] ?? 0
  }
}

/**
 * Measures a request against another in turns: over the same request untracked that reads its address and its cookies, what
 * it adds, as a multiple of what the other adds.
 *
 * @param tries - How often at most; the least counts, whoever else uses the machine.
 * @param isEnough - Ends it earlier.
 */
export async function ratiosOf(
  costs: Costs,
  hostile: Buffer,
  against: Buffer,
  tries: number,
  isEnough: (ratios: Ratios) => boolean = () => false,
): Promise<Ratios> {
  const added = new Added(costs, hostile, 'reading')
  const reference = new Added(costs, against, 'bare')
  let ratios = { cpu: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY }
  for (let time = 0; time < tries; time++) {
    await reference.measure()
    await added.measure()
    ratios = { cpu: added.us / reference.us, memory: added.allocated / reference.allocated }
    if (isEnough(ratios)) break
  }
  return ratios
}

/** A server whose code is as fast as it gets. */
export async function openWarmMeter(): ReturnType<typeof openCostMeter> {
  const meter = await openCostMeter()
  for (let time = 0; time < 10; time++) {
    for (const server of ['bare', 'reading', 'tracked'] as const) await meter.costs(server, usual)
  }
  return meter
}
