import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { readIp } from '../request/network.js'

/** The host that a request names, in one spelling: lower case, no trailing dot, an IPv6 address without brackets. */
export interface Host {
  readonly name: string
  /** The digits of the port, or `undefined`. */
  readonly port: string | undefined
}

/** Source: RFC 1035, section 2.3.4. */
const MAX_NAME_LENGTH = 255
const BRACKETED = /^\[([\da-f:.]+)\](?::(\d{0,5}))?$/i
/** A name in Unicode, whose every character may stand in a name. */
const WITH_OTHER_LETTERS = /^[\p{L}\p{M}\p{N}.-]+$/u
const NAMED = /^([a-z\d_-]+(?:\.[a-z\d_-]+)*)\.?(?::(\d{0,5}))?$/i

/**
 * Parses a `Host` header, or another header of the same form.
 *
 * @returns `undefined` for text that is not a host name or an IP address, with or without a port.
 */
export function parseHost(text: string): Host | undefined {
  if (text.length > MAX_NAME_LENGTH) return undefined
  const [, address, addressPort] = BRACKETED.exec(text) ?? []
  if (address !== undefined) {
    const name = isIPv6(address) ? readIp(address, true) : undefined
    return name === undefined ? undefined : { name, port: addressPort || undefined }
  }
  const [, name, port] = NAMED.exec(text) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase(), port: port || undefined }
}

/** Parses a host that the application lists: also an IPv6 address without brackets, and a name with other letters. */
export function parseListedHost(text: string): Host | undefined {
  if (isIPv6(text)) return parseHost(`[${text}]`)
  // Only what parseHost does not accept: domainToASCII takes a URL apart and would ignore a path.
  return parseHost(text) ?? (WITH_OTHER_LETTERS.test(text) ? parseHost(domainToASCII(text)) : undefined)
}

/** Whether a name means this machine by itself: browsers never ask a DNS server for it. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name)
}

/** Whether an IP address is this machine's own: `127.0.0.0/8` or `::1`, also mapped to IPv6. */
export function isLoopbackAddress(address: string): boolean {
  const ip = readIp(address, true)
  return ip === '::1' || (ip !== undefined && isIPv4(ip) && ip.startsWith('127.'))
}
