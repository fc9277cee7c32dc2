import type { StoredCall, TakenCall } from '../../delivery/outbox/outbox.js'
import { type Bench, type Process, promised, promiseSame, receiptsOf } from './bench.js'

const STEPS = 120
const MOST_PROCESSES = 4

/**
 * Uses the outbox at random, with several processes, and compares it with a model: what is written is neither lost nor
 * handed out to two, what is settled does not come back.
 */
export async function randomUse(bench: Bench): Promise<void> {
  const random = randomOf(bench.writeKeyHash)
  const processes: { process: Process; held: TakenCall[] }[] = []
  const written = new Map<string, StoredCall>()
  const holders = new Set<string>()
  const take = (held: TakenCall[], taken: readonly TakenCall[]) => {
    for (const call of taken) {
      const { messageId } = call
      promised(written.has(messageId), 'a call was handed out that is settled, or that nobody wrote')
      promised(!holders.has(messageId), 'a call was handed out that another holds')
      holders.add(messageId)
      held.push(call)
    }
  }
  for (let step = 0; step < STEPS; step++) {
    if (processes.length === 0) processes.push({ process: await bench.open(), held: [] })
    const chosen = processes[random(processes.length)]
    if (!chosen) continue
    const { process, held } = chosen
    const what = random(10)
    if (what < 4) {
      const calls = bench.calls(1 + random(8))
      for (const call of calls) written.set(call.messageId, call)
      take(held, await bench.inTime(process.outbox.write(calls, random(10)), 'write()'))
    } else if (what < 6) {
      take(held, await bench.inTime(process.outbox.take(1 + random(8)), 'take()'))
    } else if (what < 8) {
      const settled = held.splice(0, random(held.length + 1))
      await bench.inTime(process.outbox.settle(receiptsOf(settled)), 'settle()')
      for (const { messageId } of settled) {
        written.delete(messageId)
        holders.delete(messageId)
      }
    } else if (what === 8 && processes.length < MOST_PROCESSES) {
      processes.push({ process: await bench.open(), held: [] })
    } else if (what === 9) {
      processes.splice(processes.indexOf(chosen), 1)
      for (const { messageId } of held) holders.delete(messageId)
      await bench.close(process)
    }
  }
  for (const { process } of processes) await bench.close(process)
  const last = await bench.open()
  const rest = await bench.takeAll(last, written.size)
  promiseSame(
    [...rest, ...(await bench.takeRest(last))],
    [...written.values()],
    'what is left after random use, for the last process',
  )
}

/** Numbers below a limit that a text decides, so that a failure can be repeated. */
function randomOf(seed: string): (limit: number) => number {
  let state = Number.parseInt(seed.slice(0, 8), 16) >>> 0
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
