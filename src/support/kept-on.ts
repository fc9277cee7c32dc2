/**
 * Keeps an object on another one, where a `WeakMap` would be the first thought.
 *
 * A tracker holds its request. While V8 collects young objects it takes for reachable all that a WeakMap holds, whether or
 * not the key is: every request would grow old, with all that hangs on it, and only a full collection would find it. That
 * was a third of what an event costs.
 */
export class KeptOn<T extends object> {
  /** Its own, so that several trackings can each keep theirs on one request. */
  readonly #key = Symbol('reqtrack')
  readonly #type: abstract new (
    ...parameters: never[]
  ) => T

  /** @param type - The class of what is kept. */
  constructor(type: abstract new (...parameters: never[]) => T) {
    this.#type = type
  }

  get(owner: object): T | undefined {
    const kept = this.#isOn(owner) ? owner[this.#key] : undefined
    return kept instanceof this.#type ? kept : undefined
  }

  /** Keeps it; on an object that is frozen, not at all. Defining the property instead takes as long as all else here. */
  set(owner: object, kept: T): void {
    if (canTake(owner)) owner[this.#key] = kept
  }

  #isOn(owner: object): owner is Record<symbol, unknown> {
    return this.#key in owner
  }
}

function canTake(owner: object): owner is Record<symbol, unknown> {
  return Object.isExtensible(owner)
}
