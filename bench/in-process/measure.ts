import { setImmediate as nextTurn } from 'node:timers/promises'

/** What one event, or one of whatever was counted, took. */
export interface Cost {
  /** Microseconds of CPU, of all threads of the process: what the garbage collector takes is in it. */
  readonly us: number
  /** Bytes allocated; right only while no garbage collection comes between. */
  readonly bytes: number
}

const collectYoung: ((options: { type: 'minor' }) => void) | undefined = globalThis.gc

/** Microseconds of CPU that the process has used. */
export function cpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** A piece of work that is measured: `prepare` is not. */
export interface Work<P> {
  prepare(): P
  run(prepared: P): unknown
}

/** Measures work once. */
export async function costOf<P>(work: Work<P>, count: number): Promise<Cost> {
  const prepared = work.prepare()
  // What was prepared grows old here, so that no collection within the measurement has to carry it about.
  collectYoung?.({ type: 'minor' })
  collectYoung?.({ type: 'minor' })
  await nextTurn()
  const heap = process.memoryUsage().heapUsed
  const started = cpu()
  const done = work.run(prepared)
  // A promise that need not be awaited would give other work its turn within the measurement.
  if (done instanceof Promise) await done
  const us = cpu() - started
  return { us: us / count, bytes: (process.memoryUsage().heapUsed - heap) / count }
}

/** Measures several works in turns, A B C A B C …, and throws the first turns away: they warm up. */
export async function inTurns<K extends string>(
  works: Readonly<Record<K, () => Promise<Cost>>>,
  rounds: number,
  warmUp: number,
): Promise<Record<K, Cost[]>> {
  const keys = Object.keys(works) as K[]
  const costs = Object.fromEntries(keys.map((key): [K, Cost[]] => [key, []])) as Record<K, Cost[]>
  for (let round = -warmUp; round < rounds; round++) {
    for (const key of keys) {
      const cost = await works[key]()
      if (round >= 0) costs[key].push(cost)
    }
  }
  return costs
}

/** What is computed has to go somewhere, or the compiler leaves it out. */
export const sink: { last: unknown } = { last: undefined }
