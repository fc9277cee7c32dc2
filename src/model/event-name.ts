const SPACE = 32
const MAX_NAME_LENGTH = 255

/** What is wrong with an event's name, and what was expected; `undefined` if it is one. */
export function problemOfName(name: unknown): string | undefined {
  const expected = `expected 'entity action', such as 'order complete'`
  if (typeof name !== 'string')
    return `the event's name is ${name === undefined ? 'missing' : `a ${typeof name}`}: ${expected}`
  if (name.length > MAX_NAME_LENGTH)
    return `the event's name ${quotedName(name)} has ${name.length} characters, at most ${MAX_NAME_LENGTH} are allowed: ${expected}`
  const space = name.indexOf(' ')
  const second = name.charCodeAt(space + 1)
  if (space <= 0 || Number.isNaN(second) || second === SPACE)
    return `the event's name ${quotedName(name)} is not two words with one space between them: ${expected}`
  if (name.startsWith('walker '))
    return `the event's name ${quotedName(name)} is a walkerOS command, which a tracker does not run: ${expected}`
  return undefined
}

/** The name as messages quote it: its beginning. */
export function quotedName(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}
