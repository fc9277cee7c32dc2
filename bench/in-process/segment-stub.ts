import type { Analytics } from '@segment/analytics-node'

interface Delivered {
  readonly event: { readonly messageId?: string | undefined }
}

/**
 * Takes the calls of a client before the SDK does, and tells who listens to it each delivered as the SDK would, on a later
 * turn. What is measured then ends where the SDK begins, and begins again where it ends.
 */
export class SegmentStub {
  calls = 0
  #wanted = Number.POSITIVE_INFINITY
  #reached: () => void = () => {}
  #taken: Delivered['event'][] = []
  readonly #listeners: readonly ((delivered: Delivered) => void)[]

  constructor(analytics: Analytics) {
    this.#listeners = Reflect.get(analytics, 'callbacks').track
    for (const type of ['track', 'identify', 'group'] as const) {
      analytics[type] = (params: { messageId?: string | undefined }) => this.#take(params)
    }
  }

  /** Resolves when so many more calls have been made and told delivered. */
  more(count: number): Promise<void> {
    this.#wanted = this.calls + count
    return new Promise((resolve) => {
      this.#reached = resolve
    })
  }

  #take(params: { messageId?: string | undefined }): void {
    if (this.#taken.length === 0) setImmediate(() => this.#tell())
    this.#taken.push(params)
  }

  #tell(): void {
    const taken = this.#taken
    this.#taken = []
    for (const event of taken) for (const told of this.#listeners) told({ event })
    this.calls += taken.length
    if (this.calls < this.#wanted) return
    this.#wanted = Number.POSITIVE_INFINITY
    this.#reached()
  }
}
