import type { SegmentServer } from '../../src/testing/index.js'
import { missing } from '../faults/balance.js'
import type { Load } from '../faults/process.js'
import type { FleetCase } from './stage.js'

/** What became of a case. */
export interface FleetResult {
  readonly name: string
  readonly processes: number
  /** Calls made, those that a killed process had not yet written included. */
  readonly made: number
  /** Calls that the endpoint received, each once. */
  readonly arrived: number
  /** Of them, those that it received more than once. */
  readonly twice: number
  /** Calls that a process that only writes has handed over, or another has taken. */
  readonly relayed: number
  /** Calls that killed processes had made and not yet written. */
  readonly uncommitted: number
  readonly givenUp: Readonly<Record<string, number>>
  /** Calls that neither arrived nor were given up for a named reason. */
  readonly lost: number
  readonly mayLose: boolean
  readonly repeatsNothing: boolean
  readonly problems: readonly string[]
}

/** Draws the balance of a fleet: sum over processes = what arrived + what waits + what was counted. */
export function fleetBalance(which: FleetCase, loads: readonly Load[], segment: SegmentServer): FleetResult {
  const arrived = new Set(segment.calls.map(({ messageId }) => messageId))
  const gone = missing(loads, segment)
  const givenUp: Record<string, number> = {}
  for (const { end, failed } of loads) {
    const counts = end?.stats.calls.failed ?? countsOf([...failed.values()])
    for (const [reason, count] of Object.entries(counts))
      if (count > 0) givenUp[reason] = (givenUp[reason] ?? 0) + count
  }
  const counted = givenUp.damaged ?? 0
  const lost = Math.max(0, gone.length - counted)
  const killed = loads.filter(({ exit, end }) => exit && !end)
  const made = new Set(loads.flatMap((load) => [...load.made.keys()]))
  const unknown = [...arrived].filter((id) => !made.has(id ?? '')).length
  const problems = [
    ...(lost > 0 && !which.mayLose ? [`${lost} calls are lost`] : []),
    ...(which.repeatsNothing && segment.duplicates.length > 0
      ? [`${segment.duplicates.length} calls arrived twice`]
      : []),
    ...(unknown > 0 ? [`${unknown} calls arrived that nobody made`] : []),
    ...Object.keys(givenUp)
      .filter((reason) => !which.mayGiveUp?.includes(reason))
      .map((reason) => `calls were given up as ${reason}`),
    ...loads.flatMap((load, index) =>
      bookProblems(load).map((problem) => `process ${index + 1}: ${problem}`),
    ),
    ...sumProblems(loads, segment, arrived.size),
  ]
  return {
    name: which.name,
    processes: loads.length,
    made: made.size,
    arrived: arrived.size,
    twice: segment.duplicates.length,
    relayed: loads.reduce((all, { end }) => all + (end?.stats.calls.relayed ?? 0), 0),
    uncommitted: killed
      .flatMap((load) => [...load.made.keys()].filter((id) => !load.committed.has(id)))
      .filter((id) => !arrived.has(id)).length,
    givenUp,
    lost,
    mayLose: which.mayLose === true,
    repeatsNothing: which.repeatsNothing === true,
    problems,
  }
}

/** What is wrong with the books of one process. */
function bookProblems({ end, exit, delivered }: Load): string[] {
  if (!end) return exit?.code === null ? [] : ['it did not end by itself']
  const repeated = delivered.length - new Set(delivered).size
  const { calls } = end.stats
  const failed = Object.values(calls.failed).reduce((all, count) => all + count, 0)
  const sum = calls.delivered + calls.pending + calls.relayed + failed
  return [
    ...(repeated === 0 ? [] : [`it has sent ${repeated} calls twice`]),
    ...(calls.made === sum ? [] : [`its calls do not balance: ${calls.made} made, ${sum} accounted for`]),
    ...(calls.pending === end.report.kept
      ? []
      : [`${calls.pending} calls are pending at its end, ${end.report.kept} of them kept`]),
    ...(end.errors.length <= MOST_LINES
      ? []
      : [`its log has ${end.errors.length} errors: ${end.errors.join(' / ')}`]),
  ]
}

/** A fault may be said in as many words as there are kinds of trouble, and no more. */
const MOST_LINES = 4

/** Where no process was killed, what they count as delivered is what Segment has received, repetitions included. */
function sumProblems(loads: readonly Load[], segment: SegmentServer, arrived: number): string[] {
  if (loads.some(({ end }) => !end)) return []
  const delivered = loads.reduce((all, { end }) => all + (end?.stats.calls.delivered ?? 0), 0)
  const received = segment.duplicates.reduce((all, { count }) => all + count, segment.calls.length)
  return delivered === received && received >= arrived
    ? []
    : [`${delivered} calls count as delivered, ${received} have been received`]
}

function countsOf(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}
