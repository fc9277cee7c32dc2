/**
 * Runs what loads the SDK, and lets nobody see the globals that it makes: tslib makes some thirty. Whoever looks for new
 * globals, as `mocha --check-leaks` does after each test, would find them in the test that happened to track first.
 */
export function withHiddenGlobals<T>(load: () => T): T {
  const before = new Set(Object.keys(globalThis))
  try {
    return load()
  } finally {
    for (const name of Object.keys(globalThis)) {
      if (before.has(name)) continue
      const property = Object.getOwnPropertyDescriptor(globalThis, name)
      if (property?.configurable) Object.defineProperty(globalThis, name, { ...property, enumerable: false })
    }
  }
}
