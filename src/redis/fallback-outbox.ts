import type {
  AsideReason,
  Erased,
  Erasure,
  OpenOutbox,
  Outbox,
  OutboxSession,
  StoredCall,
  TakenCall,
  TakeOptions,
  Waiting,
} from '../delivery/outbox/outbox.js'
import { openOutbox } from '../delivery/outbox/retried-outbox.js'
import { clearTimeout, setTimeout } from '../support/clock.js'
import type { StreamOutbox } from './stream-outbox.js'

/** How many calls are moved at a time. */
const MOVED_AT_ONCE = 200
/** Milliseconds between two tries to move what the fallback holds. */
const MOVE_INTERVAL_MS = 1_000

/** What the fallback knows a call by. */
class FallbackReceipt {
  readonly receipt: unknown

  constructor(receipt: unknown) {
    this.receipt = receipt
  }
}

/** An outbox on Redis, and one that takes what Redis cannot, and gives it to Redis when it is back. */
export class FallbackOutbox implements OpenOutbox {
  readonly #redis: StreamOutbox
  readonly #fallback: OpenOutbox
  readonly #session: OutboxSession
  /** Calls that were taken from the fallback and are not in Redis yet. */
  #moving: readonly TakenCall[] = []
  /** Calls that have their outcome, which Redis does not know yet. */
  #unsettled: unknown[] = []
  #mayHoldCalls = true
  #isMoving = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(redis: StreamOutbox, fallback: OpenOutbox, session: OutboxSession) {
    this.#redis = redis
    this.#fallback = fallback
    this.#session = session
    this.#moveLater()
  }

  /** @param openRedis - Opens the outbox on Redis. */
  static async open(
    fallback: Outbox,
    session: OutboxSession,
    openRedis: (session: OutboxSession) => StreamOutbox,
  ): Promise<FallbackOutbox> {
    let opened: FallbackOutbox | undefined
    const kept = await openOutbox(fallback, {
      ...session,
      // What ended processes have left in it is moved, too.
      sends: true,
      ready: () => {
        if (opened) opened.#mayHoldCalls = true
      },
    })
    const redis = openRedis({
      ...session,
      troubled: (error) => session.troubled(error, true),
    })
    opened = new FallbackOutbox(redis, kept, session)
    return opened
  }

  async write(calls: readonly StoredCall[], room: number): Promise<TakenCall[]> {
    if (!this.#redis.isTroubled) {
      try {
        return await this.#redis.writeOnce(calls, room)
      } catch {
        // Redis has said what is wrong.
      }
    }
    const taken = await this.#fallback.write(calls, room)
    this.#mayHoldCalls = true
    return taken.map(received)
  }

  async take(most: number, options?: TakeOptions): Promise<readonly TakenCall[]> {
    if (!this.#redis.isTroubled) {
      try {
        return await this.#redis.takeOnce(most)
      } catch {
        // Redis has said what is wrong.
      }
    }
    return (await this.#fallback.take(most, options)).map(received)
  }

  async settle(receipts: readonly unknown[]): Promise<void> {
    const kept = receipts.filter((receipt) => receipt instanceof FallbackReceipt)
    this.#unsettled.push(...receipts.filter((receipt) => !(receipt instanceof FallbackReceipt)))
    if (kept.length > 0) await this.#fallback.settle(kept.map(({ receipt }) => receipt))
    if (!this.#redis.isTroubled) await this.#settleInRedis().catch(() => {})
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    try {
      await this.#redis.setAside(call, reason, detail)
    } catch {
      await this.#fallback.setAside(call, reason, detail)
    }
  }

  async erase(whose: Erasure): Promise<Erased> {
    const [one, other] = [await this.#redis.erase(whose), await this.#fallback.erase(whose)]
    return { erased: one.erased + other.erased, held: one.held + other.held }
  }

  /** What only the fallback holds is not counted. */
  waiting(): Promise<Waiting> {
    return this.#redis.waiting()
  }

  async close(): Promise<void> {
    this.#stop()
    if (!this.#redis.isTroubled) await this.#move().catch(() => {})
    this.#isClosed = true
    await this.#fallback.close()
    if (this.#redis.isTroubled) this.#redis.abandon()
    else await this.#redis.close()
  }

  abandon(): void {
    this.#stop()
    this.#isClosed = true
    this.#redis.abandon()
    this.#fallback.abandon?.()
  }

  #stop(): void {
    clearTimeout(this.#timer)
  }

  async #settleInRedis(): Promise<void> {
    const receipts = this.#unsettled.splice(0)
    try {
      await this.#redis.settleOnce(receipts)
    } catch (error) {
      this.#unsettled.unshift(...receipts)
      throw error
    }
  }

  #moveLater(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      const moved = this.#redis.isTroubled ? Promise.resolve() : this.#move()
      // It is tried again.
      moved.catch(() => {}).then(() => this.#moveLater())
    }, MOVE_INTERVAL_MS)
    this.#timer.unref()
  }

  /** Gives to Redis what the fallback holds that nobody sends from there. */
  async #move(): Promise<void> {
    if (this.#isMoving) return
    this.#isMoving = true
    try {
      if (this.#unsettled.length > 0) await this.#settleInRedis()
      while (this.#mayHoldCalls || this.#moving.length > 0) {
        if (this.#moving.length === 0) {
          this.#moving = await this.#fallback.take(MOVED_AT_ONCE)
          this.#mayHoldCalls = this.#moving.length === MOVED_AT_ONCE
        }
        if (this.#moving.length === 0) break
        const moving = this.#moving
        await this.#redis.writeOnce(moving, 0)
        this.#moving = []
        await this.#fallback.settle(moving.map(({ receipt }) => receipt))
        this.#session.ready()
      }
    } finally {
      this.#isMoving = false
    }
  }
}

function received(call: TakenCall): TakenCall {
  return { ...call, receipt: new FallbackReceipt(call.receipt) }
}
