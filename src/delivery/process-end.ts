/** Those with something unsettled: a process-wide list, so that one listener does for all of them. */
const unsettled = new Set<Unsettled>()

/**
 * Counts what has no outcome yet, for a package whose timers and sockets do not keep the process alive: when nothing
 * else does either, the process would end before they come. Then what is left is finished first.
 *
 * The process has one listener of `beforeExit` for all counts together, and only while something is unsettled.
 * `beforeExit` does not come after `process.exit()`, an uncaught exception or a signal that nobody handles.
 */
export class Unsettled {
  readonly #finish: () => void
  #count = 0

  /** @param finish - Brings it to an end; what it waits for has to keep the process alive. It must not throw. */
  constructor(finish: () => void) {
    this.#finish = finish
  }

  /** How much has no outcome. */
  get count(): number {
    return this.#count
  }

  /** Something has begun that will have an outcome. */
  begin(): void {
    this.#count++
    if (this.#count > 1) return
    if (unsettled.size === 0) process.on('beforeExit', finishAll)
    unsettled.add(this)
  }

  /** Something that had begun has its outcome. */
  end(): void {
    this.#count--
    if (this.#count > 0) return
    unsettled.delete(this)
    if (unsettled.size === 0) process.off('beforeExit', finishAll)
  }

  /** Called when nothing else keeps the process alive. */
  finish(): void {
    this.#finish()
  }
}

function finishAll(): void {
  for (const each of [...unsettled]) each.finish()
}
