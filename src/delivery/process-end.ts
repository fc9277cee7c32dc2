/** Every count above zero, process-wide: one listener serves them all. */
const unsettled = new Set<Unsettled>()

/**
 * Counts events and calls without an outcome. The package's timers and sockets do not keep the process alive, so an idle
 * process would end before the outcomes; the count finishes them first.
 *
 * All counts share one `beforeExit` listener, which exists only while something is unsettled.
 * Node emits no `beforeExit` after `process.exit()`, an uncaught exception or an unhandled signal.
 */
export class Unsettled {
  readonly #finish: () => void
  #count = 0

  /** @param finish - Finishes what is unsettled, keeping the process alive meanwhile. It must not throw. */
  constructor(finish: () => void) {
    this.#finish = finish
  }

  /** How many have no outcome. */
  get count(): number {
    return this.#count
  }

  /** One more has no outcome. */
  begin(): void {
    this.#count++
    if (this.#count > 1) return
    if (unsettled.size === 0) process.on('beforeExit', finishAll)
    unsettled.add(this)
  }

  /** One of them has its outcome. */
  end(): void {
    this.#count--
    if (this.#count > 0) return
    unsettled.delete(this)
    if (unsettled.size === 0) process.off('beforeExit', finishAll)
  }

  /** Runs when nothing else keeps the process alive. */
  finish(): void {
    this.#finish()
  }
}

function finishAll(): void {
  for (const each of [...unsettled]) each.finish()
}
