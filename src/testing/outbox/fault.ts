import type { TakenCall } from '../../delivery/outbox/outbox.js'
import { type Bench, idsOf, pause, promised, receiptsOf } from './bench.js'

/**
 * Uses the outbox while what it stands on fails: a write that has resolved is one that is stored, whatever else it does, and
 * one that waits for the end of the fault resolves after it.
 */
export async function afterFault(bench: Bench): Promise<void> {
  const { fault, takeoverMs } = bench.options
  if (!fault) return
  const process = await bench.open()
  const before = bench.calls(10)
  await bench.leave(process, before)
  const during = bench.calls(10)
  let isWritten = false
  let hasFailed = false
  const early: TakenCall[] = []
  await fault.begin()
  try {
    const writing = process.outbox.write(during, 0).then(
      (taken) => {
        isWritten = true
        early.push(...taken)
      },
      () => {
        hasFailed = true
      },
    )
    void writing
    await pause(bench.options.settleMs)
  } finally {
    await fault.end()
  }
  promised(
    await bench.until(() => isWritten || hasFailed),
    `a write has not settled within ${takeoverMs} ms after the fault`,
  )
  const after = bench.calls(10)
  await bench.leave(process, after)
  promised(
    await bench.until(() => !process.isTroubled),
    'session.troubled(undefined) was not called after the fault',
  )
  const owed = new Set(idsOf([...before, ...(isWritten ? during : []), ...after]))
  const taken = [...early]
  await bench.until(() => true)
  for (let tries = 0; tries < 50 && !isComplete(owed, taken); tries++) {
    taken.push(...(await bench.takeRest(process)))
  }
  promised(isComplete(owed, taken), 'calls are missing after a fault, although their write has resolved')
  await bench.inTime(process.outbox.settle(receiptsOf(taken)), 'settle()')
}

/** A write whose answer was lost may have been made twice: the delivery and Segment know it by its messageId. */
function isComplete(owed: ReadonlySet<string>, taken: readonly TakenCall[]): boolean {
  const ids = new Set(idsOf(taken))
  return [...owed].every((id) => ids.has(id))
}
