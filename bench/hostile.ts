import { openWarmMeter, type Ratios, ratiosOf, usual } from '../test/hostile/added-cost.js'
import { requestOf } from '../test/hostile/cost-meter.js'
import { costly, ordinary } from '../test/request/costly.js'

/** What a visitor's input costs, as a multiple of an ordinary event. */
export interface HostileResult extends Ratios {
  readonly what: string
}

/**
 * Measures each input of the hostile suite that was made to cost.
 *
 * @param tries - How often each; the least counts.
 */
export async function runHostile(tries: number): Promise<HostileResult[]> {
  const { costs, close } = await openWarmMeter()
  try {
    const results: HostileResult[] = []
    for (const [what, headers, url = ordinary.url ?? '/'] of costly) {
      const bytes = requestOf(url, { ...ordinary.headers, ...headers })
      results.push({ what, ...(await ratiosOf(costs, bytes, usual, tries)) })
    }
    return results.sort((one, other) => other.cpu - one.cpu)
  } finally {
    await close()
  }
}
