import { problemsOf } from './check.js'
import { journeys as usual } from './journeys.js'
import { runShop } from './running-shop.js'
import type { Shop } from './shops.js'
import { travel } from './travel.js'

/** Milliseconds for everything; it takes about one second. */
const TIMEOUT_MS = 20_000

/**
 * Opens a shop, uses it as three visitors at the same time, and checks that every expected call arrived.
 *
 * @param print - Is given each call as it arrives, and then what is wrong, if anything.
 * @returns Whether all is well.
 */
export async function tryShop(shop: Shop, print: (line: string) => void): Promise<boolean> {
  const { journeys = usual } = shop
  const { url, server, segment, tracking } = await runShop(shop, 0, print)
  print(`A shop on ${shop.framework}, used by ${journeys.length} visitors at the same time:\n`)
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const problems: string[] = []
  try {
    const travelled = await Promise.all(journeys.map((journey) => travel(url, journey, signal)))
    problems.push(...travelled.flat())
  } catch (error) {
    problems.push(`a request failed: ${error instanceof Error ? error.message : String(error)}`)
  }
  await tracking.shutdown()
  try {
    await shop.close?.()
  } catch (error) {
    problems.push(`not everything was done: ${error instanceof Error ? error.message : String(error)}`)
  }
  problems.push(...problemsOf(journeys, segment.calls))
  server.closeAllConnections()
  server.close()
  await segment.close()
  if (problems.length === 0) {
    print(`\nAll ${segment.received} expected calls arrived, each with the visitor that it is about.`)
    return true
  }
  print(`\n${problems.length} problems:`)
  for (const problem of problems) print(`  ${problem}`)
  return false
}
