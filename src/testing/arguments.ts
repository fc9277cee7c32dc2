import { assertKnownKeys } from '../support/unknown-key.js'
import { isAsymmetric, shown } from './partial-match.js'

// Tests are written in JavaScript, too: what is given by mistake is refused, since it would hold for everything or nothing.

/**
 * @param name - The function that was called, for the message.
 * @param known - The options that it has.
 * @throws TypeError if the options are no object, or if one of them is not known.
 */
export function assertOptions(name: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${name} was given ${shown(options)}; expected an object of options`)
  }
  assertKnownKeys(name, options, known)
}

/** @throws TypeError for a time limit that is no number of milliseconds. */
export function assertTimeout(name: string, timeout: unknown): void {
  if (typeof timeout === 'number' && timeout >= 0) return
  throw new TypeError(`${name}: timeout is ${shown(timeout)}; expected milliseconds from 0 on`)
}

/** @throws TypeError for expected properties or traits that are no object. */
export function assertMembers(name: 'properties' | 'traits', members: unknown): void {
  if (members === undefined) return
  if (typeof members === 'object' && members !== null && !Array.isArray(members)) return
  throw new TypeError(`${name} are ${shown(members)}; expected an object of some of them`)
}

/** @throws TypeError for a userId that no call can have. */
export function assertUserId(userId: unknown): void {
  if (typeof userId === 'string' || typeof userId === 'number' || isAsymmetric(userId)) return
  throw new TypeError(`userId is ${shown(userId)}; expected a string or a number`)
}
