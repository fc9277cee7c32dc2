import { isRecord, setMember } from './values.js'

/** More than any consent manager has. So many grants count, so many refusals, and so many choices that are no booleans. */
const MAX_CHOICES = 1_024

/** The choices in a consent state that the application's own code said, and what is wrong with the others. */
export interface SaidChoices {
  readonly choices: Record<string, boolean>
  /** `undefined` if every choice is a boolean and counts. */
  readonly problem: string | undefined
}

/** Copies a consent state with its boolean members only; hostile and mistyped members are left out. */
export function onlyChoices(state: unknown): Record<string, boolean> {
  return isRecord(state) ? read(state).choices : {}
}

/**
 * Reads a consent state that the application's own code said. A choice that is no boolean refuses its key: whoever wrote
 * `'false'` did not mean a grant, and a grant from elsewhere must not stand in for it.
 */
export function readChoices(state: Readonly<Record<string, unknown>>): SaidChoices {
  const { choices, unfit, leftOut } = read(state)
  for (const key of unfit) setMember(choices, key, false)
  const problems: string[] = []
  if (unfit.length > 0) {
    const names = unfit.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)))
    problems.push(
      `the choice of ${names.join(', ')} is neither true nor false, and counts as refused: write a boolean`,
    )
  }
  if (leftOut > 0) problems.push(`${leftOut} choices beyond ${MAX_CHOICES} of a kind do not count`)
  return { choices, problem: problems.length > 0 ? problems.join('; ') : undefined }
}

function read(state: Readonly<Record<string, unknown>>) {
  const choices: Record<string, boolean> = {}
  const unfit: string[] = []
  // Grants must not use up the room of refusals.
  const room = { granted: MAX_CHOICES, refused: MAX_CHOICES, unfit: MAX_CHOICES }
  let leftOut = 0
  for (const key of keysOf(state)) {
    if (key === '__proto__') continue
    const kind = kindOf(state, key)
    if (room[kind]-- <= 0) leftOut++
    else if (kind === 'unfit') unfit.push(key)
    else setMember(choices, key, kind === 'granted')
  }
  return { choices, unfit, leftOut }
}

function keysOf(state: Readonly<Record<string, unknown>>): string[] {
  try {
    return Object.keys(state)
  } catch {
    return []
  }
}

/** A member that throws must not hide a refusal beside it. */
function kindOf(state: Readonly<Record<string, unknown>>, key: string): 'granted' | 'refused' | 'unfit' {
  try {
    const choice = state[key]
    return typeof choice === 'boolean' ? (choice ? 'granted' : 'refused') : 'unfit'
  } catch {
    return 'unfit'
  }
}
