/**
 * Stores an object on another one in a property of its own, instead of a `WeakMap`.
 *
 * A tracker holds its request. V8's collector of young objects treats every value of a WeakMap as reachable, even if its key
 * is not: every request would grow old with all that hangs on it, until a full collection. That was a third of the cost of
 * an event.
 */
export class PropertyStore<T extends object> {
  /** A symbol for each store, so that several trackings can use the same request. */
  readonly #key = Symbol('reqtrack')
  readonly #type: abstract new (
    ...parameters: never[]
  ) => T

  /** @param type - The class of the stored objects. */
  constructor(type: abstract new (...parameters: never[]) => T) {
    this.#type = type
  }

  /** The object that is stored on another one; there is none on a proxy that throws when it is asked. */
  get(owner: object): T | undefined {
    try {
      const value = this.#isOn(owner) ? owner[this.#key] : undefined
      return value instanceof this.#type ? value : undefined
    } catch {
      return undefined
    }
  }

  /**
   * Stores an object; does nothing if the owner is frozen, or a proxy that takes none. Assigns, because defining the property
   * takes twice as long.
   */
  set(owner: object, value: T): void {
    try {
      if (isExtensible(owner)) owner[this.#key] = value
    } catch {
      // The owner goes without.
    }
  }

  #isOn(owner: object): owner is Record<symbol, unknown> {
    return this.#key in owner
  }
}

function isExtensible(owner: object): owner is Record<symbol, unknown> {
  return Object.isExtensible(owner)
}
