/**
 * Reads an option of a method that never throws and never rejects: one that cannot be read counts as not given.
 *
 * @param options - What the caller gave, which can be anything.
 */
export function optionOf(options: unknown, name: string): unknown {
  try {
    return typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined
  } catch {
    return undefined
  }
}

/** The option `timeout` in milliseconds, if it is a number. */
export function timeoutOf(options: unknown): number | undefined {
  const timeout = optionOf(options, 'timeout')
  return typeof timeout === 'number' ? timeout : undefined
}

/**
 * Reads what a method was given that throws a TypeError for what it cannot take. Getters, proxies and `toJSON` throw
 * whatever they like.
 *
 * @param given - What was given to what, for the message.
 */
export function readAsTypeError<T>(given: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TypeError) throw cause
    throw new TypeError(`${given} that throws when it is read: expected plain data`, { cause })
  }
}
