import type { DestinationStep, Observer, Step } from '../observe/step.js'

/** The steps of one event, held back until it is certain that the event is dispatched now. */
export class ToldSteps {
  readonly #tell: Observer
  readonly #request: number
  readonly #event: string
  #held: Step[] | undefined = []

  /**
   * @param request - The number of the event's scope.
   * @param event - The event's messageId.
   */
  constructor(tell: Observer, request: number, event: string) {
    this.#tell = tell
    this.#request = request
    this.#event = event
  }

  /** Tells a step, or holds it back. */
  add(step: Step): void {
    if (this.#held) this.#held.push(step)
    else this.#tell(step)
  }

  /** Tells what was held back; from now on each step at once. */
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const step of held) this.#tell(step)
  }

  /** Adds a step of the destination. */
  readonly ofDestination = (step: DestinationStep): void => {
    this.add({ type: 'destination', request: this.#request, event: this.#event, ...step })
  }
}
