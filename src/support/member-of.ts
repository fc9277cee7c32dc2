/** A member of whatever may be an object, its getter included; `undefined` for anything else. */
export function memberOf(value: unknown, name: string | symbol): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
