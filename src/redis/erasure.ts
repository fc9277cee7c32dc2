import { isOf } from '../delivery/outbox/erasure.js'
import type { Erased, Erasure } from '../delivery/outbox/outbox.js'
import type { CallStream } from './stream.js'

/** What was removed. */
export interface Removed extends Erased {
  /** How many of the removed calls had been set aside. */
  readonly aside: number
}

/** Removes a person's calls from what waits and from what was set aside, but for those that processes hold. */
export async function eraseCalls(stream: CallStream, whose: Erasure): Promise<Removed> {
  return removeCalls(stream, (text) => isOf(whose, text))
}

/** Removes calls by their text, but for those that processes hold; what is no call has none. */
export async function removeCalls(
  stream: CallStream,
  isRemoved: (text: string) => boolean,
): Promise<Removed> {
  const held = await stream.pending.heldByAnybody()
  const count = { erased: 0, held: 0, aside: 0 }
  for (const which of ['calls', 'aside'] as const) {
    const gone: string[] = []
    for await (const { id, call } of stream.all(which)) {
      if (!isRemoved(call?.text ?? '')) continue
      if (which === 'calls' && held.has(id)) count.held++
      else gone.push(id)
    }
    await stream.erase(which, gone)
    count.erased += gone.length
    if (which === 'aside') count.aside = gone.length
  }
  return count
}
