import { isRecord, plain } from './values.js'

/** A consent state with nothing in it but choices: hostile and mistyped members are left out. */
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
