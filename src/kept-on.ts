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
    const kept: unknown = Reflect.get(owner, this.#key)
    return kept instanceof this.#type ? kept : undefined
  }

  /** Keeps it where nothing that lists an object's properties finds it; on an object that is frozen, not at all. */
  set(owner: object, kept: T): void {
    Reflect.defineProperty(owner, this.#key, { value: kept })
  }
}
