import type { SegmentServer } from '../../src/testing/index.js'
import type { LoadOptions } from './load.js'
import type { Load, LoadStart } from './process.js'
import type { SmallDisk } from './small-disk.js'

/** When a case's application is told to end: when the fault is over, or while it lasts. */
export type Ending = 'after' | 'during'

/** What a case works with. */
export interface Stage {
  readonly segment: SegmentServer
  readonly ending: Ending
  /** The outbox's directory, where the case runs with one. */
  readonly outbox: string | undefined
  /** Where the outbox is, if the case asked for it. */
  readonly disk: SmallDisk
  /** Starts an application; its calls are in the balance. */
  start(options?: Partial<LoadOptions>, start?: LoadStart): Promise<Load>
  /** Resolves when everything has arrived that is to, or after some seconds. */
  everythingArrived(): Promise<void>
}

/** One fault, and what it does to an application under load. */
export interface Case {
  readonly name: string
  /** The events a second. */
  readonly rate: number
  readonly settings?: LoadOptions['settings']
  readonly delivery?: LoadOptions['delivery']
  /** Why calls may be given up without an outbox, beside `closed` where the process ends during the fault. */
  readonly mayGiveUp?: readonly string[]
  /** Why they may be although there is an outbox: never, but for what Segment refuses and for a disk that fails. */
  readonly mayGiveUpKept?: readonly string[]
  /** What the log says once, and `health()` from then on, where the outbox cannot do its work. */
  readonly says?: RegExp
  /** Calls that only the disk has may be lost with it: they are counted, and cannot be named. */
  readonly losesDisk?: boolean
  /** Only with an outbox. */
  readonly needsOutbox?: boolean
  /** How far the clock is off in the end: a clock that is set back stays so. */
  readonly clockMs?: number
  /** The outbox is on a small disk of its own. */
  readonly needsDisk?: boolean
  /** Which endings it has; both by default. */
  readonly endings?: readonly Ending[]
  /** Only in the long run. */
  readonly isLong?: boolean
  run(stage: Stage): Promise<void>
}

/** A fault that begins and ends. */
export interface Lasting {
  /** How the application is started. */
  readonly options?: Partial<LoadOptions>
  readonly start?: LoadStart
  begin(stage: Stage, load: Load): unknown
  end(stage: Stage, load: Load): unknown
  /** Milliseconds from its beginning to its end. Defaults to 3000. */
  readonly ms?: number
  /** Milliseconds from its beginning until the process is told to end, where it ends meanwhile. Defaults to 1500. */
  readonly endsAfterMs?: number
}

/** Waits. */
export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Waits until something is so, for as long as that may take on a busy machine. */
export async function until(isSo: () => boolean, mostMs = 15_000): Promise<void> {
  const deadline = performance.now() + mostMs
  while (!isSo() && performance.now() < deadline) await sleep(50)
}

const AROUND_MS = 800

/** A fault between a while before and a while after it; or a process that is told to end while it lasts. */
export function lasting({
  options,
  start,
  begin,
  end,
  ms = 3_000,
  endsAfterMs = 1_500,
}: Lasting): Case['run'] {
  return async (stage) => {
    const load = await stage.start(options, start)
    await sleep(AROUND_MS)
    await begin(stage, load)
    if (stage.ending === 'during') {
      await sleep(endsAfterMs)
      await load.stop()
      await end(stage, load)
      return
    }
    await sleep(ms)
    await end(stage, load)
    await sleep(AROUND_MS)
    await load.stop()
  }
}
