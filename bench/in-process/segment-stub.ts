import type { Analytics } from '@segment/analytics-node'

/**
 * Takes the calls of a client before the SDK does, and tells each delivered as the SDK would, on a later turn. What is
 * measured then ends where the SDK begins.
 */
export class SegmentStub {
  calls = 0
  #wanted = Number.POSITIVE_INFINITY
  #reached: () => void = () => {}
  #taken: { readonly messageId?: string | undefined }[] = []
  readonly #analytics: Analytics

  constructor(analytics: Analytics) {
    this.#analytics = analytics
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
    for (const event of taken) Reflect.apply(this.#analytics.emit, this.#analytics, ['track', { event }])
    this.calls += taken.length
    if (this.calls < this.#wanted) return
    this.#wanted = Number.POSITIVE_INFINITY
    this.#reached()
  }
}
