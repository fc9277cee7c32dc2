import fc, { type IAsyncProperty } from 'fast-check'

/**
 * Tries a property. `HOSTILE_RUNS=5000 npm run test:hostile` tries every one so many times; `HOSTILE_SEED` repeats the seed
 * that a failure has printed.
 *
 * @param usual - How many times, where the environment does not say.
 * @param slow - Whether a try takes so long that a failure is told as it is, and not made smaller.
 */
export async function holds<T>(property: IAsyncProperty<T>, usual: number, slow = false): Promise<void> {
  const { HOSTILE_RUNS, HOSTILE_SEED } = process.env
  await fc.assert(property, {
    numRuns: HOSTILE_RUNS ? Number(HOSTILE_RUNS) : usual,
    endOnFailure: slow,
    ...(HOSTILE_SEED && { seed: Number(HOSTILE_SEED) }),
  })
}
