import { performance } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import type { HeldCalls } from './held-calls.js'
import type { Ledger } from './ledger.js'
import type { PendingCall } from './pending-call.js'
import type { StoredCalls } from './stored-calls.js'

/** Closing the outbox takes milliseconds, and at most this many if the disk hangs. */
const CLOSE_MS = 1_000

/** How many calls had no outcome when the time of a shutdown was over. */
export interface ClosingResult {
  /** They count as failed (`closed`). */
  readonly lost: number
  /** They are stored and stay pending. */
  readonly kept: number
  /** They were made on the client itself. */
  readonly directPending: number
}

/** The parts of a {@link Closing}. */
export interface ClosingParts {
  readonly held: HeldCalls
  readonly stored: StoredCalls
  readonly ledger: Ledger
  /** Resolves when every call made before has its outcome, or the time is over. */
  flush(timeoutMs: number): Promise<void>
  /** No call is taken in any more. */
  closed(): void
  /** Nobody waits for calls any more. */
  ended(): void
}

/** Ends a delivery: sends what goes in the time that it has, and leaves the rest to the outbox. */
export class Closing {
  readonly #parts: ClosingParts
  #hasBegun = false
  #kept = 0

  constructor(parts: ClosingParts) {
    this.#parts = parts
  }

  /** Whether it has begun: its flush waits for calls of other processes, too. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** How many calls it has left in the outbox. */
  get kept(): number {
    return this.#kept
  }

  /** Sends the rest and closes the client. */
  async close(timeoutMs: number): Promise<ClosingResult> {
    const { held, stored, flush, closed, ended } = this.#parts
    const { client, gate, pending, queue, submitter } = held
    const deadline = performance.now() + timeoutMs
    const leftMs = () => Math.max(1, deadline - performance.now())
    // Last chance: a request that waits for the gate would wait in vain.
    gate.probe()
    queue?.stopAdopting()
    queue?.hurry(timeoutMs / 2)
    this.#hasBegun = true
    await Promise.race([flush(leftMs()), this.#storedAndBlocked()])
    const directPending = client.calls.direct
    client.calls.abandonDirect()
    held.isClosed = true
    closed()
    submitter.stop()
    pending.stop()
    const isStored = await this.#isOnDisk(leftMs())
    const { written, unwritten } = queue?.forgetStoredOnly() ?? { written: 0, unwritten: 0 }
    if (isStored) this.#keep(written)
    const lostStored = unwritten + (isStored ? 0 : written)
    const lost = this.#endAll(isStored) + lostStored
    stored.lostOf('closed', lostStored)
    const kept = this.#kept
    ended()
    if (kept > 0) client.stop()
    // The application's own client ignores a second flush while one hangs.
    if (submitter.flushing) await answerWithin(submitter.flushing, leftMs())
    if (!submitter.flushing) await client.close(leftMs())
    const closing = queue?.close()
    if (closing && !queue?.isHanging) await answerWithin(closing, CLOSE_MS)
    gate.stop()
    return { lost, kept, directPending }
  }

  /** Resolves when all pending calls are stored and Segment is away: waiting longer gains nothing. */
  async #storedAndBlocked(): Promise<void> {
    const { held } = this.#parts
    const { gate, queue } = held
    if (!queue) return new Promise(() => {})
    await queue.commit()
    await queue.check()
    if (held.clientError) return
    if (!queue.isUsable) return new Promise(() => {})
    if (!gate.isOpen) return
    return new Promise((resolve) => gate.onClose(resolve))
  }

  /** Whether stored calls can be found by the next process. */
  async #isOnDisk(timeoutMs: number): Promise<boolean> {
    const { queue } = this.#parts.held
    if (!queue) return false
    if (!queue.isHanging) {
      await answerWithin(
        queue.commit().then(() => queue.check()),
        Math.max(timeoutMs, CLOSE_MS),
      )
    }
    return !queue.isGone
  }

  /** Stored calls are left to the next process: they stay pending. */
  #keep(count: number): void {
    this.#kept += count
    this.#parts.ledger.kept(count)
  }

  /**
   * Ends every call in memory: it is kept or lost.
   *
   * @returns How many are lost.
   */
  #endAll(isStored: boolean): number {
    const { held } = this.#parts
    let lost = 0
    const end = (pending: PendingCall) => {
      if (isStored && pending.place) {
        held.release(pending)
        held.pending.remove(pending)
        this.#keep(1)
      } else {
        lost++
        held.end(pending, 'closed', 'the call had no outcome at the shutdown')
      }
    }
    for (let next = held.submitter.takeAny(); next; next = held.submitter.takeAny()) end(next)
    for (const pending of [...held.pending.values()]) end(pending)
    return lost
  }
}
