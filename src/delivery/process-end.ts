/** Every count above zero of this copy of the package: one listener serves them all. */
const unsettled = new Set<Unsettled>()

/** Who is told that the process ends. Copies of this package share one list, and one listener of it. */
interface Ending {
  /** @returns Whether something is lost with the process. */
  ended(): boolean
}

const ENDINGS = Symbol.for('reqtrack.endings.1')

/**
 * Counts events and calls without an outcome. The package's timers and sockets do not keep the process alive, so an idle
 * process would end before the outcomes; the count finishes them first.
 *
 * All counts share one `beforeExit` listener, which exists only while something is unsettled. Node emits no `beforeExit`
 * after `process.exit()`, an uncaught exception or an unhandled signal. After the first two it emits `exit`: what is lost
 * is then told, and the exit code is 1 unless the application has said another one.
 */
export class Unsettled {
  readonly #finish: () => void
  readonly #ended: () => boolean
  #count = 0

  /**
   * @param finish - Finishes what is unsettled, keeping the process alive meanwhile. It must not throw.
   * @param ended - Tells what is lost with the process, and returns whether anything is. It must not throw.
   */
  constructor(finish: () => void, ended: () => boolean) {
    this.#finish = finish
    this.#ended = ended
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
    endings().add(this)
  }

  /** One of them has its outcome. */
  end(): void {
    this.#count--
    if (this.#count > 0) return
    unsettled.delete(this)
    endings().delete(this)
    if (unsettled.size === 0) process.off('beforeExit', finishAll)
  }

  /** Runs when nothing else keeps the process alive. */
  finish(): void {
    this.#finish()
  }

  /** Runs when the process ends, which nothing can keep alive any more. */
  ended(): boolean {
    return this.#ended()
  }
}

function finishAll(): void {
  for (const each of [...unsettled]) each.finish()
}

/** The list that all copies of this package share. Its listener stays: adding and removing one would cost every event. */
function endings(): Set<Ending> {
  const shared: Record<symbol, unknown> = globalThis as never
  const known = shared[ENDINGS]
  if (known instanceof Set) return known
  const made = new Set<Ending>()
  shared[ENDINGS] = made
  process.on('exit', () => {
    const isLost = [...made].map((each) => each.ended()).some(Boolean)
    if (isLost) process.exitCode ??= 1
  })
  return made
}
