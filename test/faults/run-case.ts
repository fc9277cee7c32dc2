import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSegmentServer } from '../../src/testing/index.js'
import { balanceOf, missing, type Result } from './balance.js'
import { type Load, startLoad } from './process.js'
import { mountSmallDisk, type SmallDisk } from './small-disk.js'
import { type Case, type Ending, type Stage, until } from './stage.js'

/** How a case is run. */
export interface Run {
  readonly ending: Ending
  readonly withOutbox: boolean
  /** The load's compiled file. */
  readonly file: string
}

/** Long enough for a drain on a busy machine where the fault is over; short where the process ends during the fault. */
const SHUTDOWN_MS = { after: 30_000, during: 2_000 } as const

/**
 * Runs a case, with real processes, and draws the balance.
 *
 * @returns Or why it cannot be run here.
 */
export async function runCase(which: Case, { ending, withOutbox, file }: Run): Promise<Result | string> {
  const directory = await mkdtemp(join(tmpdir(), 'faults-'))
  let disk: SmallDisk | undefined
  try {
    if (which.needsDisk) {
      const mounted = await mountSmallDisk(join(directory, 'disk'))
      if (typeof mounted === 'string') return mounted
      disk = mounted
    }
    return await runOn(
      which,
      { ending, withOutbox, file },
      disk,
      join(disk?.directory ?? directory, 'outbox'),
    )
  } finally {
    await disk?.remove()
    await chmod(directory, 0o700)
    await rm(directory, { recursive: true, force: true })
  }
}

async function runOn(
  which: Case,
  { ending, withOutbox, file }: Run,
  disk: SmallDisk | undefined,
  outbox: string,
): Promise<Result> {
  const segment = await createSegmentServer()
  const loads: Load[] = []
  const stage: Stage = {
    segment,
    ending,
    outbox: withOutbox ? outbox : undefined,
    get disk() {
      if (!disk) throw new Error(`the case "${which.name}" did not ask for a disk`)
      return disk
    },
    async start(options, start) {
      const load = await startLoad(
        {
          segment: segment.url,
          rate: which.rate,
          shutdownMs: SHUTDOWN_MS[ending],
          settings: which.settings,
          delivery: which.delivery,
          ...(withOutbox && { outbox }),
          ...options,
        },
        { file, ...start },
      )
      loads.push(load)
      return load
    },
    everythingArrived: () => until(() => missing(loads, segment).length === 0),
  }
  try {
    await which.run(stage)
    if (missing(loads, segment).length > 0 && withOutbox) {
      const next = await stage.start({ rate: 0, shutdownMs: SHUTDOWN_MS.after, clockMs: which.clockMs })
      await stage.everythingArrived()
      await next.stop()
    }
    return balanceOf(which, ending, withOutbox, loads, segment)
  } finally {
    for (const load of loads) if (!load.exit) await load.kill()
    await segment.close()
  }
}
