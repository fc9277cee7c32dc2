import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { costly, full, ordinary } from '../request/costly.js'
import { openWarmMeter, type Ratios, ratiosOf, usual } from './added-cost.js'
import { type Costs, requestOf } from './cost-meter.js'
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

function isWithin({ cpu, memory }: Ratios): boolean {
  return cpu <= MOST_CPU && memory <= MOST_MEMORY
}

function ratiosWithin(costs: Costs, hostile: Buffer, against: Buffer): Promise<Ratios> {
  return ratiosOf(costs, hostile, against, TRIES, isWithin)
}

async function warmMeter(): Promise<Costs> {
  const { costs, close } = await openWarmMeter()
  onTestFinished(close)
  return costs
}

/** Says what is over the budget, if it is. */
function excessOf(ratios: Ratios, what: string): string[] {
  if (isWithin(ratios)) return []
  const { cpu, memory } = ratios
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
      excess.push(...excessOf(await ratiosWithin(costs, bytes, usual), what))
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
        expect(excessOf(await ratiosWithin(costs, bytes, usual), `${length} characters in ${place}`)).toEqual(
          [],
        )
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
        const ratios = await ratiosWithin(costs, requestFor(at), reference)
        expect(excessOf(ratios, expensive[at]?.what ?? '')).toEqual([])
      }),
      25,
      true,
    )
  })
})
