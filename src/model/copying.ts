import { MAX_CALL_BYTES } from './json-size.js'

/** Of all objects in a value together: a member that JSON leaves out takes no bytes, but time. */
const MAX_MEMBERS = MAX_CALL_BYTES
/** An exception takes about as long as the copies of so many members. */
const MEMBERS_PER_THROW = 64
/** Named in the log; further ones are counted. */
const MAX_PROBLEMS = 10
const MAX_PATH_LENGTH = 200

/** A place in a value, linked to the one around it: a list would be copied for every object. */
export interface Place {
  readonly value: object
  /** Empty for the whole value, and for a value that stands for the one around it, as that of `toJSON` does. */
  readonly key: string | number
  readonly above: Place | undefined
  readonly depth: number
}

/** How much of a value may still be copied, and what had to be left out. */
export interface Copying {
  readonly limit: number
  /** A lower bound of the bytes of the copy. Once it is above the limit, nothing more is read. */
  least: number
  /** An upper bound of the bytes of the copy. */
  most: number
  /** The bytes of memory that its objects and lists take, without their text. */
  memory: number
  /** How many more members may be read. */
  members: number
  readonly problems: string[]
  leftOut: number
}

/** @param limit - The most bytes of JSON that the copy may have. */
export function beginCopying(limit: number): Copying {
  return { limit, least: 0, most: 0, memory: 0, members: MAX_MEMBERS, problems: [], leftOut: 0 }
}

/** The value cannot fit: nothing more of it is read, and its copy is thrown away. */
export function giveUp(copying: Copying): undefined {
  copying.least = Number.POSITIVE_INFINITY
  copying.most = Number.POSITIVE_INFINITY
}

/** Counts members before they are read, and gives up if there are too many. */
export function countMembers(copying: Copying, members: number): boolean {
  copying.members -= members
  if (copying.members < 0) giveUp(copying)
  return copying.members >= 0
}

/** Leaves out a part that threw. Its message is the application's own and may quote the data, so only the place is named. */
export function leaveOutThrown(copying: Copying, key: string | number, owner: Place | undefined): undefined {
  leaveOut(copying, key, owner, 'threw when it was read and was left out')
  countMembers(copying, MEMBERS_PER_THROW)
}

/** Leaves out a part, and keeps a sentence about it. */
export function leaveOut(
  copying: Copying,
  key: string | number,
  owner: Place | undefined,
  why: string,
): undefined {
  copying.leftOut++
  if (copying.problems.length >= MAX_PROBLEMS) return
  copying.problems.push(`${pathOf(key, owner) || 'the value'} ${why}`)
}

/** A sentence for each part that was left out. */
export function problemsOf({ problems, leftOut }: Copying): readonly string[] {
  const more = leftOut - problems.length
  return more > 0 ? [...problems, `${more} more parts were left out`] : problems
}

/** Whether a value is at a place, or around it. */
export function isAmong(value: object, place: Place | undefined): boolean {
  for (let each = place; each; each = each.above) if (each.value === value) return true
  return false
}

function pathOf(key: string | number, owner: Place | undefined): string {
  const keys = [key]
  for (let each = owner; each; each = each.above) keys.push(each.key)
  let path = ''
  for (const step of keys.reverse()) {
    if (typeof step === 'number') path += `[${step}]`
    else if (step !== '') path += path === '' ? step : `.${step}`
    if (path.length > MAX_PATH_LENGTH) return `${path.slice(0, MAX_PATH_LENGTH)}…`
  }
  return path
}
