import { isRecord, plain } from './values.js'

/** Copies a consent state with its boolean members only; hostile and mistyped members are left out. */
export function onlyChoices(state: unknown): Record<string, boolean> {
  try {
    return choicesOf(state)
  } catch {
    // A member that throws must not hide a refusal beside it.
    return choicesOf(plain(state))
  }
}

function choicesOf(state: unknown): Record<string, boolean> {
  const choices: Record<string, boolean> = {}
  if (!isRecord(state)) return choices
  for (const [key, value] of Object.entries(state)) {
    if (typeof value === 'boolean' && key !== '__proto__') choices[key] = value
  }
  return choices
}

/** The choices in a consent state that the application's own code said, and what is wrong with the others. */
export interface SaidChoices {
  readonly choices: Record<string, boolean>
  /** `undefined` where every choice is a boolean. */
  readonly problem: string | undefined
}

/**
 * Reads a consent state that the application's own code said. A choice that is no boolean refuses its key: whoever wrote
 * `'false'` did not mean a grant, and a grant from elsewhere must not stand in for it.
 */
export function readChoices(state: Readonly<Record<string, unknown>>): SaidChoices {
  const choices = onlyChoices(state)
  const unfit = Object.keys(state).filter((key) => key !== '__proto__' && !Object.hasOwn(choices, key))
  for (const key of unfit) choices[key] = false
  if (unfit.length === 0) return { choices, problem: undefined }
  const names = unfit.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)))
  return {
    choices,
    problem: `the choice of ${names.join(', ')} is neither true nor false, and counts as refused: write a boolean`,
  }
}
