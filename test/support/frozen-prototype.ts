/**
 * Runs work while no member of `Object.prototype` can be written, as after `Object.freeze(Object.prototype)`, which no test
 * could take back: an assignment to `toString` of any object throws then.
 */
export async function withFrozenPrototype<T>(work: () => T | Promise<T>): Promise<T> {
  const before = Object.getOwnPropertyDescriptors(Object.prototype)
  const isData = (name: string) => 'value' in (Reflect.get(before, name) ?? {})
  const names = Reflect.ownKeys(before).filter((name) => typeof name === 'string' && isData(name))
  for (const name of names) Object.defineProperty(Object.prototype, name, { writable: false })
  try {
    return await work()
  } finally {
    Object.defineProperties(Object.prototype, before)
  }
}
