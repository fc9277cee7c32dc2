import type { SegmentServer } from '../../src/testing/index.js'
import type { Load } from './process.js'
import type { Case, Ending } from './stage.js'

/** An exit may come so much later than its deadline: the outbox is let go of within a second, and machines are busy. */
const SLACK_MS = 4_000

/** What became of a case. */
export interface Result {
  readonly name: string
  readonly ending: Ending
  readonly outbox: boolean
  /** Calls made. */
  readonly tracked: number
  /** Calls that the endpoint received, each once. */
  readonly arrived: number
  /** Of them, calls that it received more than once, to be recognised by their messageId. */
  readonly twice: number
  /** Calls that were left to the next process. */
  readonly kept: number
  /** Calls given up, by reason. */
  readonly failed: Readonly<Record<string, number>>
  /** Calls that a killed process had made and not yet written: how many, and the most at one kill. */
  readonly uncommitted: { readonly all: number; readonly most: number; readonly oldestMs: number }
  /** Calls that neither arrived nor were given up for a named reason. */
  readonly lost: number
  /** The largest heap of a process, in MB. */
  readonly heapMb: number
  /** The exit codes of the processes that ended by themselves. */
  readonly exitCodes: readonly (number | null)[]
  /** What is not as promised, in words. */
  readonly problems: readonly string[]
}

/** Calls that have to arrive, or to be given up by name, and have not been so far. */
export function missing(loads: readonly Load[], segment: SegmentServer): string[] {
  const settled = new Set(segment.calls.map(({ messageId }) => messageId))
  for (const { failed } of loads) for (const id of failed.keys()) settled.add(id)
  return loads.flatMap((load) => expected(load).filter((id) => !settled.has(id)))
}

/** A killed process owes what it has written, any other all that it has made. */
function expected({ made, committed, exit, end }: Load): string[] {
  return exit && !end ? [...committed] : [...made.keys()]
}

/** Draws the balance of a case. */
export function balanceOf(
  which: Case,
  ending: Ending,
  withOutbox: boolean,
  loads: readonly Load[],
  segment: SegmentServer,
): Result {
  const arrived = new Set(segment.calls.map(({ messageId }) => messageId))
  const failed = failures(loads)
  // Calls that only a disk held that has vanished are counted, but nobody can say which they were.
  const lost = Math.max(
    0,
    missing(loads, segment).length - loads.reduce((all, load) => all + untold(load), 0),
  )
  const allowed = withOutbox
    ? (which.mayGiveUpKept ?? [])
    : [...(which.mayGiveUp ?? []), ...(ending === 'during' ? ['closed'] : [])]
  const problems = [
    ...(lost > 0 ? [`${lost} calls are lost`] : []),
    ...Object.keys(failed)
      .filter((reason) => !allowed.includes(reason))
      .map((reason) => `calls were given up as ${reason}`),
    ...loads.flatMap((load, index) =>
      bookProblems(load, which).map((problem) => `process ${index + 1}: ${problem}`),
    ),
    ...endpointProblems(loads, arrived, segment),
    ...saidProblems(which, loads),
  ]
  const uncommitted = loads
    .filter(({ exit, end }) => exit && !end)
    .map(({ made, committed, exit }) => {
      const gone = [...made].filter(([id]) => !committed.has(id) && !arrived.has(id))
      const ages = gone.map(([, at]) => Math.round((exit?.toldAt ?? 0) - at))
      return { count: gone.length, oldestMs: Math.max(0, ...ages) }
    })
  return {
    name: which.name,
    ending,
    outbox: withOutbox,
    tracked: loads.reduce((all, { made }) => all + made.size, 0),
    arrived: arrived.size,
    twice: segment.duplicates.length,
    kept: loads.reduce((all, { end }) => all + (end?.report.kept ?? 0), 0),
    failed,
    uncommitted: {
      all: uncommitted.reduce((all, { count }) => all + count, 0),
      most: Math.max(0, ...uncommitted.map(({ count }) => count)),
      oldestMs: Math.max(0, ...uncommitted.map(({ oldestMs }) => oldestMs)),
    },
    lost,
    heapMb: Math.max(0, ...loads.map(({ end }) => end?.peakMb ?? 0)),
    exitCodes: loads.flatMap(({ end, exit }) => (end && exit ? [exit.code] : [])),
    problems,
  }
}

/** What is wrong with the books of a process, and with its end. */
function bookProblems(load: Load, which: Case): string[] {
  const { end, exit, made, failed, options } = load
  if (!end) return exit?.code === null && exit.tookMs < options.shutdownMs ? [] : ['it did not end by itself']
  const { events, calls } = end.stats
  const { kept, pending } = end.report
  const dropped = sum(events.dropped)
  const checks: [boolean, string][] = [
    [
      calls.made === calls.delivered + calls.pending + calls.relayed + sum(calls.failed),
      'its calls do not balance',
    ],
    [calls.pending === kept, `${calls.pending} calls are pending at its end, ${kept} of them kept`],
    [
      events.tracked === events.open + events.dispatched + dropped && events.open === 0,
      'its events do not balance',
    ],
    [events.tracked === end.tracked, `${end.tracked} events were tracked, the ledger has ${events.tracked}`],
    [
      events.dispatched === made.size,
      `${events.dispatched} events were dispatched and became ${made.size} calls`,
    ],
    [
      untold(load) === 0 || which.losesDisk === true,
      `${sum(calls.failed)} calls failed, ${failed.size} were told`,
    ],
    [dropped === 0, `${dropped} events were dropped`],
    [
      (exit?.tookMs ?? 0) < options.shutdownMs + SLACK_MS,
      `it ended ${Math.round(exit?.tookMs ?? 0)} ms after SIGTERM, with ${options.shutdownMs} to do so`,
    ],
    [exit?.code === 1 || pending === 0, `calls were lost at its end, and it exited with ${exit?.code}`],
    [
      exit?.code === 0 || pending > 0 || failed.size > 0 || end.report.timedOut,
      `nothing was lost, and it exited with ${exit?.code}`,
    ],
  ]
  return checks.flatMap(([holds, problem]) => (holds ? [] : [problem]))
}

/** Whether what the endpoint received is what the processes say. */
function endpointProblems(
  loads: readonly Load[],
  arrived: ReadonlySet<unknown>,
  segment: SegmentServer,
): string[] {
  // A killed process has made calls that it could no longer tell of.
  if (loads.some(({ end }) => !end)) return []
  const made = new Set(loads.flatMap((load) => [...load.made.keys()]))
  const unknown = segment.calls.filter(({ messageId }) => !made.has(messageId ?? '')).length
  const delivered = loads.reduce((all, { end }) => all + (end?.stats.calls.delivered ?? 0), 0)
  const failed = loads.reduce((all, load) => all + load.failed.size, 0)
  const problems = unknown > 0 ? [`${unknown} calls arrived that nobody made`] : []
  // An answer can be lost: what has arrived is then sent again, or given up.
  if (delivered > arrived.size + segment.duplicates.length || arrived.size > delivered + failed) {
    problems.push(`${delivered} calls count as delivered, ${arrived.size} have arrived`)
  }
  return problems
}

/** Whether a trouble with the disk was said: in the log once, by `health()` until the end. */
function saidProblems({ says }: Case, loads: readonly Load[]): string[] {
  const ended = loads.flatMap(({ end }) => end?.errors ?? []).filter((line) => /outbox|store/.test(line))
  if (!says) return ended.map((line) => `the log says: ${line}`)
  const problems: string[] = []
  if (ended.length !== 1 || !says.test(ended[0] ?? '')) {
    problems.push(`the log was to say ${says} once; it says: ${ended.join(' / ') || 'nothing'}`)
  }
  const healths = loads.flatMap(({ health, end }) => [
    ...health.map(({ lastError }) => lastError),
    end?.lastError,
  ])
  if (!healths.some((lastError) => says.test(lastError ?? ''))) {
    problems.push(`health() was to say ${says}`)
  }
  return problems
}

/** Calls given up, by reason: as the books of processes say that ended, and as the others told. */
function failures(loads: readonly Load[]): Record<string, number> {
  const counts: Record<string, number> = {}
  const add = (reason: string, count: number) => {
    if (count > 0) counts[reason] = (counts[reason] ?? 0) + count
  }
  for (const { end, failed } of loads) {
    if (end) for (const [reason, count] of Object.entries(end.stats.calls.failed)) add(reason, count)
    else for (const reason of failed.values()) add(reason, 1)
  }
  return counts
}

/** Calls that the books have as failed and that were not told one by one. */
function untold({ end, failed }: Load): number {
  return end ? sum(end.stats.calls.failed) - failed.size : 0
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}
