import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSegmentServer } from '../../src/testing/index.js'
import type { Case, Stage } from './cases.js'
import { type Load, startLoad } from './process.js'

/** So long before a kill a call may not have been on disk: the interval of group commits, and a turn of the load. */
const COMMIT_MS = 50 + 100

/** What became of a case. */
export interface Result {
  readonly name: string
  readonly outbox: boolean
  /** Calls made. */
  readonly tracked: number
  /** Calls that the endpoint received, each once. */
  readonly arrived: number
  /** Calls that the endpoint received more than once, to be recognised by their messageId. */
  readonly twice: number
  /** Calls given up, by reason, as the ledger says. */
  readonly failed: Readonly<Record<string, number>>
  /** Calls that were made within the commit interval before a kill, and did not arrive. */
  readonly uncommitted: number
  /** Calls that neither arrived nor were given up for a named reason. */
  readonly lost: number
  /** The largest heap of a process, in MB. */
  readonly heapMb: number
  /** Whether the books of every process balance. */
  readonly balances: boolean
}

/** Runs a case, with real processes, and draws the balance. */
export async function runCase(which: Case, withOutbox: boolean): Promise<Result> {
  const segment = await createSegmentServer()
  const directory = await mkdtemp(join(tmpdir(), 'faults-'))
  const outbox = withOutbox ? join(directory, 'outbox') : undefined
  const loads: { load: Load; killedAt: () => number | undefined }[] = []
  try {
    const stage: Stage = {
      segment,
      outbox,
      start: async (options) => {
        const load = await startLoad({
          segment: segment.url,
          rate: which.rate,
          shutdownMs: 30_000,
          settings: which.settings,
          delivery: which.delivery,
          ...(outbox && { outbox }),
          ...options,
        })
        let killedAt: number | undefined
        const watched: Load = {
          made: load.made,
          get end() {
            return load.end
          },
          stop: () => load.stop(),
          kill: () => {
            killedAt = performance.now()
            return load.kill()
          },
        }
        loads.push({ load, killedAt: () => killedAt })
        return watched
      },
    }
    await which.run(stage)
    const kept = loads.reduce((all, { load }) => all + (load.end?.kept ?? 0), 0)
    if (kept > 0) {
      const next = await stage.start({ rate: 1 })
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      await next.stop()
    }
    return balanceOf(which.name, withOutbox, loads, segment)
  } finally {
    await segment.close()
    await rm(directory, { recursive: true, force: true })
  }
}

function balanceOf(
  name: string,
  outbox: boolean,
  loads: readonly { load: Load; killedAt: () => number | undefined }[],
  segment: Awaited<ReturnType<typeof createSegmentServer>>,
): Result {
  const arrived = new Set(segment.calls.map(({ messageId }) => messageId))
  const failed: Record<string, number> = {}
  let tracked = 0
  let missing = 0
  let uncommitted = 0
  let balances = true
  let heapMb = 0
  for (const { load, killedAt } of loads) {
    const killed = killedAt()
    for (const [id, at] of load.made) {
      tracked++
      if (arrived.has(id)) continue
      if (killed !== undefined && at > killed - COMMIT_MS) uncommitted++
      else missing++
    }
    if (!load.end) continue
    const { made, delivered, pending, failed: counts } = load.end.stats.calls
    const given = Object.values(counts).reduce((all, count) => all + count, 0)
    balances &&= made === delivered + pending + given && pending === load.end.kept
    for (const [reason, count] of Object.entries(counts)) {
      if (count > 0) failed[reason] = (failed[reason] ?? 0) + count
    }
    heapMb = Math.max(heapMb, load.end.peakMb)
  }
  const given = Object.values(failed).reduce((all, count) => all + count, 0)
  return {
    name,
    outbox,
    tracked,
    arrived: arrived.size,
    twice: segment.duplicates.length,
    failed,
    uncommitted,
    // A call may be given up and arrive nonetheless: its answer was lost.
    lost: Math.max(0, missing - given),
    heapMb,
    balances,
  }
}
