/** The key of a factory's example call, shared by the copies of this package in a process. */
const exampleCall: unique symbol = Symbol.for('reqtrack.readerFactory')

/** A function that makes a reader. */
type Factory = (...parameters: never[]) => unknown

/**
 * Marks a function that makes readers, so that one which was not called can be told from a reader: both are functions, and
 * as a reader it would answer with a function, which counts as no answer.
 *
 * It stands in the factory's own file: bundlers leave out a file of which nothing else is used.
 *
 * @param call - How to call it, such as `oneTrust()`.
 */
export function markFactory(factory: Factory, call: string): void {
  Object.defineProperty(factory, exampleCall, { value: call })
}

/** Says what is expected instead of a function in the place of a reader; `undefined` if nothing is wrong with it. */
export function expectedReader(reader: unknown): string | undefined {
  if (typeof reader !== 'function' || !Object.hasOwn(reader, exampleCall)) return undefined
  const call: unknown = Reflect.get(reader, exampleCall)
  return `a reader, not the function that makes one: write ${String(call)}`
}
