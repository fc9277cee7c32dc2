import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costly, full, ordinary } from '../request/costly.js'
import { type Costs, costMeter, requestOf } from './cost-meter.js'
import type { Ports } from './cost-server.js'
import { expensive } from './expensive.js'
import { holds } from './generated.js'

/**
 * Over the same request untracked, and what reading its address and its cookies costs, as a multiple of an ordinary event.
 * The promise is two; machines and versions of Node differ by the rest.
 */
const MOST_CPU = 2.5
/** A text of 16 KB of which a part is kept takes the room of all of it. */
const MOST_MEMORY = 4
/** Whoever else uses the machine: the least of so many measurements counts. */
const TRIES = 12

const usual = requestOf(ordinary.url ?? '/', ordinary.headers ?? {})

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

/** Measures requests against others in turns, until they are within the budget or the tries are over. */
async function ratiosOf(costs: Costs, hostile: Buffer, against: Buffer) {
  const added = new Added(costs, hostile, 'reading')
  const reference = new Added(costs, against, 'bare')
  let ratios = { cpu: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY }
  for (let time = 0; time < TRIES; time++) {
    await reference.measure()
    await added.measure()
    ratios = { cpu: added.us / reference.us, memory: added.allocated / reference.allocated }
    if (ratios.cpu <= MOST_CPU && ratios.memory <= MOST_MEMORY) break
  }
  return ratios
}

/** A server whose code is as fast as it gets. */
async function warmMeter(): Promise<Costs> {
  const costs = await costMeter()
  for (let time = 0; time < 10; time++) {
    for (const server of ['bare', 'reading', 'tracked'] as const) await costs(server, usual)
  }
  return costs
}

/** Says what is over the budget, if it is. */
function excessOf({ cpu, memory }: Awaited<ReturnType<typeof ratiosOf>>, what: string): string[] {
  if (cpu <= MOST_CPU && memory <= MOST_MEMORY) return []
  return [`${what}: ×${cpu.toFixed(2)} of the CPU, ×${memory.toFixed(2)} of the memory`]
}

/** Names of headers that are read, and whatever could be in them. */
const generated = fc.record({
  place: fc.constantFrom(
    'path',
    'query',
    'cookie',
    'host',
    'accept',
    'accept-language',
    'origin',
    'referer',
    'sec-fetch-dest',
    'sec-gpc',
    'sec-purpose',
    'traceparent',
    'user-agent',
    'x-consent',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-user-id',
  ),
  parts: fc.array(
    fc.constantFrom(
      ...';=,&/?#%.:@[]{}"\\~-_ a1'.split(''),
      '%25',
      '%40',
      '%FF',
      'utm_a=',
      'a=b; ',
      '; ',
      'en;q=0.',
      'ajs_',
    ),
    { minLength: 1, maxLength: 4 },
  ),
  length: fc.constantFrom(200, 2_000, 15_000),
})

describe('what a visitor sends', () => {
  it('adds no more than two ordinary events do, besides the parsing of its bytes', async () => {
    const costs = await warmMeter()
    const excess: string[] = []
    for (const [what, headers, url = ordinary.url ?? '/'] of costly) {
      const bytes = requestOf(url, { ...ordinary.headers, ...headers })
      excess.push(...excessOf(await ratiosOf(costs, bytes, usual), what))
    }
    expect(excess).toEqual([])
  })

  it('adds no more, whatever is made up', async () => {
    const costs = await warmMeter()
    await holds(
      fc.asyncProperty(generated, async ({ place, parts, length }) => {
        const text = full(parts.join(''), length)
        // A target has no white space, and a header none at its ends.
        const target = `${place === 'query' ? '/?' : '/'}${text.replaceAll(' ', '+')}`
        const isTarget = place === 'path' || place === 'query'
        const headers = { ...ordinary.headers, ...(!isTarget && { [place]: `x${text}x` }) }
        const bytes = requestOf(isTarget ? target : (ordinary.url ?? '/'), headers)
        expect(excessOf(await ratiosOf(costs, bytes, usual), `${length} characters in ${place}`)).toEqual([])
      }),
      25,
      true,
    )
  })
})

describe('what a handler gives', () => {
  it('costs no more than two of the largest events do', async () => {
    const costs = await warmMeter()
    const requestFor = (call: number) => requestOf(`/expensive/${call}`, ordinary.headers ?? {})
    const reference = requestFor(expensive.length)
    for (let time = 0; time < 3; time++) await costs('tracked', reference)
    const call = fc.constantFrom(...expensive.keys())
    await holds(
      fc.asyncProperty(call, async (at) => {
        const ratios = await ratiosOf(costs, requestFor(at), reference)
        expect(excessOf(ratios, expensive[at]?.what ?? '')).toEqual([])
      }),
      25,
      true,
    )
  })
})
