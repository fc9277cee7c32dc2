/** Longer keys are cut where they are quoted. */
const MAX_QUOTED_KEY = 60

/**
 * Writes a path as code would: `settings.flushAt`, `mapping.order.complete[0].data`, `events["order complete"]`.
 *
 * @param path - The keys from the outermost in; empty for the value itself.
 */
export function writtenPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`
    const name = String(key)
    if (!/^[\w$*-]+$/.test(name) || name.length > MAX_QUOTED_KEY) return `${before}[${quoted(name)}]`
    return before ? `${before}.${name}` : name
  }, '')
}

function quoted(key: string): string {
  return JSON.stringify(key.length > MAX_QUOTED_KEY ? `${key.slice(0, MAX_QUOTED_KEY)}…` : key)
}
