import type { Say } from './finding.js'

/** More trackings than one application has for one write key. */
const MOST_OPEN = 10

/** How many trackings of this process are open for a write key. */
const open = new Map<string, number>()

/** Finds that trackings are made for requests instead of once: each has a client, timers and books of its own. */
export class CreatedInHandlerCheck {
  readonly #writeKey: string
  #isOpen = true

  /** @param isInRequest - Whether a request of a tracking runs now. */
  constructor(writeKey: string, isInRequest: boolean, say: Say) {
    this.#writeKey = writeKey
    const count = (open.get(writeKey) ?? 0) + 1
    open.set(writeKey, count)
    if (isInRequest) say({ code: 'REQTRACK_CREATED_IN_HANDLER', message: `${IN_REQUEST} ${WAY_OUT}` })
    else if (count > MOST_OPEN)
      say({ code: 'REQTRACK_CREATED_IN_HANDLER', message: `${tooMany(count)} ${WAY_OUT}` })
  }

  /** The tracking is shut down. */
  closed(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const count = (open.get(this.#writeKey) ?? 0) - 1
    if (count > 0) open.set(this.#writeKey, count)
    else open.delete(this.#writeKey)
  }
}

const IN_REQUEST = 'createTracking() was called while a request was handled.'
const WAY_OUT =
  'A tracking has a client, batches and books of its own: make one for the process, where the application starts, and share it.'

function tooMany(count: number): string {
  return `${count} trackings of one write key are open in this process.`
}
