import type { Server } from 'node:net'
import { isList } from '../support/instance.js'

/** The methods of a server that the shutdown needs, and that tell it from applications and from servers of other protocols. */
const METHODS = ['on', 'off', 'close', 'listen', 'address']

/** Whether a value is a server of `node:http`, `node:https` or `node:http2`, or one that is built on them. */
export function isServer(value: unknown): value is Server {
  return METHODS.every((method) => hasMethod(value, method))
}

/**
 * Checks that a value is a server, because a wrong one would never close, and its requests would be cut off.
 *
 * @param option - The option's name, for the error.
 * @throws TypeError that says what was given and what to write.
 */
export function assertServer(option: string, value: unknown): asserts value is Server {
  if (isServer(value)) return
  const [what, fix] = explain(value)
  throw new TypeError(
    `shutdownOnSignals: ${option} was ${what}; expected a server of node:http, node:https or node:http2${fix}`,
  )
}

/** @returns What the value is, and what to write in its place. */
function explain(value: unknown): readonly [what: string, fix: string] {
  if (value === null || value === undefined) return [String(value), '']
  if (typeof value !== 'object' && typeof value !== 'function') return [`a ${typeof value}`, '']
  if (isList(value)) return ['an array', '']
  if (hasMethod(value, 'then')) return ['a promise', ': await it']
  if (hasMethod(value, 'getHttpServer')) return ['an application', ': write { server: app.getHttpServer() }']
  for (const name of ['server', 'httpServer']) {
    if (isServer(memberOf(value, name))) return ['an object with a server', `: pass its member \`${name}\``]
  }
  if (hasMethod(value, 'listen')) return ['an application', ': write { server: app.listen(3000) }']
  if (typeof value === 'function')
    return ['a function', ': write { server: createServer(handler).listen(3000) }']
  return ['an object that is no server', '']
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof memberOf(value, name) === 'function'
}

function memberOf(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  try {
    return Reflect.get(value, name)
  } catch {
    return undefined
  }
}
