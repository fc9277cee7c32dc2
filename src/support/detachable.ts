/** The key under which an instance of a class with detachable methods keeps itself; a proxy of it answers the same. */
export const self = Symbol('reqtrack.self')

/**
 * Lets the methods of a class work when they are taken off their object, or called on a proxy of it: `const { identify } =
 * req.tracker`. Reading one binds it, so that an object whose methods nobody takes off costs nothing more.
 *
 * @param prototype - The class's prototype. Its instances keep themselves under {@link self}.
 * @param names - The methods' names.
 */
export function makeDetachable<T extends object>(prototype: T, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const method: unknown = prototype[name]
    if (typeof method !== 'function') throw new TypeError(`${name} is no method`)
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: { [self]?: object } | undefined) {
        const instance = this?.[self]
        return instance ? method.bind(instance) : method
      },
      // Test kits replace methods by assignment.
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true })
      },
    })
  }
}
