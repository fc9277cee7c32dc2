import type { IncomingMessage } from 'node:http'
import { isList, isShortList } from '../support/instance.js'
import { assertKnownKeys } from '../support/unknown-key.js'
import { type Host, parseListedHost } from './host.js'

/** How an inspector is mounted. */
export interface InspectorOptions<Request = IncomingMessage> {
  /**
   * Who may look: returns `true` for a request that may. Any other result, an exception and a rejection mean no. It is
   * required in production (`NODE_ENV=production`). With it, neither the request's host nor its origin is checked.
   *
   * Without it the inspector answers only requests from this machine: from a loopback address, through no proxy, and
   * addressed to a loopback name such as `localhost`.
   */
  authorize?(request: Request): boolean | Promise<boolean>
  /**
   * Hosts that may be asked besides loopback names, such as `['shop-3000.app.github.dev']`, or `['localhost']` for the
   * published port of a container. A request to one of them may come from any machine and through a proxy: list a host
   * only if nobody else can reach it. A port is optional. Not needed with `authorize`.
   */
  hosts?: readonly string[]
  /** How many requests are kept, in memory. Defaults to 500. */
  capacity?: number
}

/** Options that were checked. */
export interface CheckedOptions {
  readonly hosts: readonly Host[]
  readonly capacity: number
}

const DEFAULT_CAPACITY = 500
const KNOWN = ['authorize', 'capacity', 'hosts']

/**
 * Checks an inspector's options.
 *
 * @param mounted - The name of the function that the application called, for messages.
 * @param further - The names of the framework's own options.
 * @throws TypeError that names the option, and what is expected of it.
 */
export function checkOptions<Native>(
  options: InspectorOptions<Native>,
  mounted: string,
  further: readonly string[],
): CheckedOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${mounted}: options are ${shown(options)}; expected an object`)
  }
  assertKnownKeys(mounted, options, [...KNOWN, ...further])
  const { authorize, capacity = DEFAULT_CAPACITY, hosts = [] } = options
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new TypeError(
      `${mounted}: authorize is ${shown(authorize)}; expected a function of the request that returns true for who may look`,
    )
  }
  if (process.env.NODE_ENV === 'production' && !authorize) {
    throw new Error(
      `${mounted}() shows personal data, and NODE_ENV is production: expected an authorize function, as in ` +
        `${mounted}(tracking, { authorize: (request) => … }). Or mount it only where NODE_ENV is not production.`,
    )
  }
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new TypeError(`${mounted}: capacity is ${String(capacity)}; expected a whole number from 1 on`)
  }
  // Its length says nothing of what is in it, and can be billions.
  if (!isShortList(hosts)) {
    throw new TypeError(
      `${mounted}: hosts is ${shownList(hosts)}; expected a list of host names, such as ['dev.example']`,
    )
  }
  return { capacity, hosts: hosts.map((host, index) => listedHost(host, `${mounted}: hosts[${index}]`)) }
}

function listedHost(host: unknown, place: string): Host {
  const parsed = typeof host === 'string' ? parseListedHost(host) : undefined
  if (parsed) return parsed
  throw new TypeError(
    `${place} is ${shown(host)}; expected a host name or an IP address without scheme and path, such as 'dev.example'`,
  )
}

function shownList(value: unknown): string {
  return isList(value) ? 'a list of very many' : shown(value)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
