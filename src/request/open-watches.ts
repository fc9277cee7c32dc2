import { clearInterval, setInterval } from '../support/clock.js'
import { outside } from '../support/outside.js'

/** Milliseconds between two looks at the open requests. */
const LOOK_MS = 1_000
/** Milliseconds between two looks while somebody waits for the end of the open requests. */
const WAITING_LOOK_MS = 100
/** Looking at all open requests costs a new one next to nothing when at least so many have come in between. */
const REQUESTS_BETWEEN_SWEEPS = 256

/** A watch in the list of all that are open. */
export interface OpenWatch {
  next: OpenWatch | undefined
  previous: OpenWatch | undefined
  /** Ends the watch if its request has ended and no event has told. */
  check(): void
}

/**
 * The watches of all open requests, so that those are found whose end no event tells: somebody has removed the listeners or
 * replaced `emit`, or an adapter's response emits nothing.
 *
 * They are a linked list, since a set would cost a request more than its listeners do. A timer looks at them while there are
 * any. It runs on until it finds none: one for each request would cost more than the look.
 */
class OpenWatches {
  #newest: OpenWatch | undefined
  #size = 0
  #openedSinceSweep = 0
  #timer: NodeJS.Timeout | undefined

  /** A request is watched from now on. */
  opened(watch: OpenWatch): void {
    const newest = this.#newest
    watch.previous = newest
    if (newest) newest.next = watch
    this.#newest = watch
    this.#size++
    this.#openedSinceSweep++
    if (!this.#timer) this.#startLooking()
    if (this.#openedSinceSweep > REQUESTS_BETWEEN_SWEEPS + this.#size) this.sweep()
  }

  /** A request has ended. */
  ended(watch: OpenWatch): void {
    const { next, previous } = watch
    if (next) next.previous = previous
    else this.#newest = previous
    if (previous) previous.next = next
    watch.next = undefined
    watch.previous = undefined
    this.#size--
  }

  #startLooking(): void {
    this.#timer = outside(() => setInterval(() => this.#lookAgain(), LOOK_MS).unref())
  }

  /** Looks at all open requests. */
  sweep(): void {
    this.#openedSinceSweep = 0
    // A request that begins or waits may be the one that looks: the others do not end in its context.
    outside(() => this.#checkAll())
  }

  #checkAll(): void {
    for (let watch = this.#newest; watch; ) {
      const { previous } = watch
      watch.check()
      watch = previous
    }
  }

  /** Looks at all open requests, at once and often, until a promise that waits for their ends has settled. */
  async sweepUntil<R>(awaited: Promise<R>): Promise<R> {
    this.sweep()
    if (this.#size === 0) return awaited
    const timer = outside(() => setInterval(() => this.sweep(), WAITING_LOOK_MS).unref())
    try {
      return await awaited
    } finally {
      clearInterval(timer)
    }
  }

  #lookAgain(): void {
    this.sweep()
    if (this.#size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** Those of this process: all trackings share them. */
export const openWatches = new OpenWatches()
