import { randomBytes } from 'node:crypto'
import type {
  OpenOutbox,
  Outbox,
  OutboxSession,
  StoredCall,
  TakenCall,
} from '../../delivery/outbox/outbox.js'
import { openOutbox } from '../../delivery/outbox/retried-outbox.js'
import { CALL_TYPES } from '../../model/segment-call.js'
import { performance, setTimeout, wallTime } from '../../support/clock.js'
import { inTime } from '../../support/maybe.js'
import type { OutboxCheckOptions } from './options.js'

/** Milliseconds between two tries to take what has not come yet. */
const PAUSE_MS = 20
const TAKE_AT_ONCE = 50

/** An outbox as one process has it open, and what it has told that process. */
export interface Process {
  readonly outbox: OpenOutbox
  /** How often it has said that there is something to take. */
  readonly readies: number
  readonly evicted: readonly TakenCall[]
  readonly lost: number
  readonly isTroubled: boolean
}

/** Something is otherwise than the contract says. */
export class BrokenPromise extends Error {}

/** @throws BrokenPromise unless something is so. */
export function promised(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new BrokenPromise(otherwise)
}

/** What the checks of an outbox work with. Every check has a write key of its own. */
export class Bench {
  readonly options: OutboxCheckOptions
  readonly writeKeyHash = randomBytes(8).toString('hex')
  readonly #make: () => Outbox | Promise<Outbox>
  readonly #opened = new Set<OpenOutbox>()
  #made = 0
  #isShared = false

  constructor(make: () => Outbox | Promise<Outbox>, options: OutboxCheckOptions) {
    this.#make = make
    this.options = options
  }

  /** Whether processes take what others have written while they live. */
  get isShared(): boolean {
    return this.#isShared
  }

  /** Opens the outbox as one more process would. */
  async open(changes: Partial<OutboxSession> = {}): Promise<Process> {
    const told = { readies: 0, evicted: [] as TakenCall[], lost: 0, isTroubled: false }
    const session: OutboxSession = {
      writeKeyHash: this.writeKeyHash,
      sends: true,
      ready: () => {
        told.readies++
      },
      troubled: (error) => {
        told.isTroubled = error !== undefined
      },
      owed: (calls) => calls,
      gone() {},
      trimmed() {},
      problem() {},
      warn() {},
      lost: (calls) => {
        told.lost += calls
      },
      relayed() {},
      robbed() {},
      evicted: (calls) => {
        told.evicted.push(...calls)
      },
      ...changes,
    }
    const made = await this.#make()
    this.#isShared = made.isShared === true
    const outbox = await this.inTime(openOutbox(made, session), 'open()')
    this.#opened.add(outbox)
    return Object.assign(told, { outbox })
  }

  /** Closes an outbox as a process does that ends. */
  async close({ outbox }: Process): Promise<void> {
    this.#opened.delete(outbox)
    await this.inTime(outbox.close(), 'close()')
  }

  /** Closes all. */
  async closeAll(): Promise<void> {
    for (const outbox of this.#opened) await this.inTime(outbox.close(), 'close()').catch(() => {})
    this.#opened.clear()
  }

  /** Calls that were never written, of all types, with texts that are not easy to keep. */
  calls(count: number, params: Record<string, unknown> = {}): StoredCall[] {
    return Array.from({ length: count }, () => {
      const number = this.#made++
      const messageId = `${this.writeKeyHash}-${number}`
      const type = CALL_TYPES[number % CALL_TYPES.length] ?? 'track'
      const properties = { number, text: `\u0000 "\n' é 漢 \u{1F600} ${'x'.repeat((number * 397) % 2_000)}` }
      return {
        type,
        messageId,
        madeAt: wallTime() - number,
        text: JSON.stringify({ userId: `u-${number}`, messageId, properties, ...params }),
        writeKeyHash: this.writeKeyHash,
      }
    })
  }

  /** Writes calls that nobody holds. */
  async leave({ outbox }: Process, calls: readonly StoredCall[]): Promise<void> {
    const taken = await this.inTime(outbox.write(calls, 0), 'write()')
    promised(taken.length === 0, `write() with no room has handed out ${taken.length} calls`)
  }

  /** Takes calls until there are so many, or for as long as a takeover may last. */
  async takeAll({ outbox }: Process, wanted: number, ms = this.options.takeoverMs): Promise<TakenCall[]> {
    const taken: TakenCall[] = []
    const deadline = performance.now() + ms
    while (taken.length < wanted) {
      const some = await this.inTime(outbox.take(TAKE_AT_ONCE), 'take()')
      promised(some.length <= TAKE_AT_ONCE, `take(${TAKE_AT_ONCE}) has handed out ${some.length} calls`)
      taken.push(...some)
      promised(taken.length <= this.#made * 2, 'take() hands out calls without end')
      if (some.length === 0 && performance.now() > deadline) break
      if (some.length === 0) await pause(PAUSE_MS)
    }
    return taken
  }

  /** Takes whatever there is, and waits a little for more than that. */
  takeRest(process: Process): Promise<TakenCall[]> {
    return this.takeAll(process, Number.POSITIVE_INFINITY, this.options.settleMs)
  }

  /** Waits until something is so, for as long as a takeover may last. */
  async until(isSo: () => boolean): Promise<boolean> {
    const deadline = performance.now() + this.options.takeoverMs
    while (!isSo()) {
      if (performance.now() > deadline) return false
      await pause(PAUSE_MS)
    }
    return true
  }

  /** Waits for a method of the outbox, which must not hang. */
  inTime<T>(answer: Promise<T>, method: string): Promise<T> {
    return inTime(
      answer,
      this.options.answerMs,
      `${method} has not settled within ${this.options.answerMs} ms`,
    )
  }
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The messageIds of calls. */
export function idsOf(calls: readonly StoredCall[]): string[] {
  return calls.map(({ messageId }) => messageId)
}

/** The receipts of calls. */
export function receiptsOf(calls: readonly TakenCall[]): unknown[] {
  return calls.map(({ receipt }) => receipt)
}

/** @throws BrokenPromise if calls are not the expected ones, each once, in any order. */
export function promiseSame(
  calls: readonly StoredCall[],
  expected: readonly StoredCall[],
  what: string,
): void {
  const ids = idsOf(calls)
  const wanted = new Set(idsOf(expected))
  const missing = [...wanted].filter((id) => !ids.includes(id)).length
  const unknown = ids.filter((id) => !wanted.has(id)).length
  const twice = ids.length - new Set(ids).size
  const faults = [
    ...(missing > 0 ? [`${missing} of ${wanted.size} calls are missing`] : []),
    ...(unknown > 0 ? [`${unknown} calls are there that should not be`] : []),
    ...(twice > 0 ? [`${twice} calls are handed out twice`] : []),
  ]
  promised(faults.length === 0, `${what}: ${faults.join(', ')}`)
}
