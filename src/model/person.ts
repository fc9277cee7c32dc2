import { toId } from './identity.js'
import { isLargerThan, MAX_CALL_BYTES } from './json-size.js'
import { isRecord, toPlain } from './values.js'

/** What a request or a handler knows of a person. */
export interface Person {
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  /** Further facts in walkerOS's terms (`email`, `country`, …). */
  readonly details: Readonly<Record<string, unknown>> | undefined
}

/** A person whom a handler gave: copied, bounded and plain. */
export interface CollectedPerson {
  readonly person: Readonly<Record<string, unknown>>
  /** A sentence for each part that had to be left out. */
  readonly problems: readonly string[]
}

/**
 * Takes a person from a handler: `id`, `session` and details. Details that are larger than a call are left out; the ids stay
 * even then, because without them events would be taken for those of somebody else.
 *
 * @param before - The person that the handler gave before; the members of the new one win.
 */
export function collectPerson(
  given: Readonly<Record<string, unknown>>,
  before: CollectedPerson['person'] | undefined,
): CollectedPerson {
  const { value, problems, tooLarge } = toPlain(given)
  if (tooLarge) return withIdsOf(given, before)
  if (!isRecord(value)) return { person: before ?? {}, problems: ['its toJSON gives no object'] }
  if (!before) return { person: value, problems }
  const merged = { ...before, ...value }
  return isLargerThan(merged, MAX_CALL_BYTES) ? withIdsOf(value, before) : { person: merged, problems }
}

function withIdsOf(
  given: Readonly<Record<string, unknown>>,
  before: CollectedPerson['person'] | undefined,
): CollectedPerson {
  const person: Record<string, unknown> = { ...before }
  for (const key of ['id', 'session']) {
    const id = toId(read(given, key))
    if (id !== undefined) person[key] = id
  }
  const problem = 'the details are larger than the 32 KB that Segment takes for a call, and were left out'
  return { person, problems: [problem] }
}

function read(owner: Readonly<Record<string, unknown>>, key: string): unknown {
  try {
    return owner[key]
  } catch {
    return undefined
  }
}
