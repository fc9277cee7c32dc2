import { castValue } from '@walkeros/core'
import { setMember } from '../model/values.js'

/** More than an event that fits in an address has. */
const MAX_PARAMETERS = 200
const MAX_DEPTH = 8
/** The longest list that can be written out. */
const MAX_INDEX = 99
/** A name and the keys below it: `nested[0][data][id]`. */
const PATH = /^([^[\]]+)((?:\[[^[\]]*\])*)$/

/** A place in the making: an object, or a list. */
type Place = Record<string, unknown> | unknown[]

/**
 * Reads the event in the query of an address, as walkerOS writes it: `?name=page%20view&data[title]=Home`. Numbers and
 * booleans become what they say.
 *
 * walkerOS's own function for it (4.2.1) writes into `Object.prototype` where a query asks for that.
 */
export function queryEvent(search: URLSearchParams): Readonly<Record<string, unknown>> {
  const event: Record<string, unknown> = {}
  let left = MAX_PARAMETERS
  for (const [name, value] of search) {
    if (left-- <= 0) break
    const path = pathOf(name)
    if (path) put(event, path, castValue(value))
  }
  return event
}

function pathOf(name: string): readonly string[] | undefined {
  const [, first, rest = ''] = PATH.exec(name) ?? []
  if (first === undefined) return undefined
  const path = [
    first,
    ...rest
      .slice(1, -1)
      .split('][')
      .filter((key) => rest !== '' || key !== ''),
  ]
  return path.length <= MAX_DEPTH ? path : undefined
}

function put(event: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let place: Place = event
  for (const [index, key] of path.slice(0, -1).entries()) {
    const known = memberOf(place, key)
    if (known !== undefined) {
      if (!isPlace(known)) return
      place = known
      continue
    }
    const next: Place = isIndex(path[index + 1]) ? [] : {}
    if (!setIn(place, key, next)) return
    place = next
  }
  setIn(place, path.at(-1) ?? '', value)
}

function memberOf(place: Place, key: string): unknown {
  return Object.hasOwn(place, key) ? Reflect.get(place, key) : undefined
}

/** Sets a member; a list takes the index behind its end and no other, so that it has no holes. */
function setIn(place: Place, key: string, value: unknown): boolean {
  if (Object.hasOwn(place, key)) return false
  if (!Array.isArray(place)) setMember(place, key, value)
  else if (key === '' || Number(key) === place.length) place.push(value)
  else return false
  return true
}

function isIndex(key: string | undefined): boolean {
  return key !== undefined && (key === '' || (/^\d{1,2}$/.test(key) && Number(key) <= MAX_INDEX))
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null
}
