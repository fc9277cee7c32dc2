import { isIPv4 } from 'node:net'
import { addressOf, type Groups, groupsOf, isMapped } from './ip-address.js'

/** The prefix of IPv4 addresses on a socket that accepts both families. */
const MAPPED_PREFIX = '::ffff:'
/** The first part of a 6to4 address; the client's IPv4 address follows (RFC 3056, section 2). */
const SIX_TO_FOUR = 0x2002
/** Longer than the header of any browser. */
const MAX_USER_AGENT_LENGTH = 512
/** More than browsers send. Entries that begin or end beyond it are ignored. */
const MAX_ACCEPT_LANGUAGE_LENGTH = 512
const MAX_LANGUAGES = 32
/** The longest address with zone, brackets and port. */
const MAX_IP_LENGTH = 100
/** The length that BCP 47 (RFC 5646, section 4.4.1) asks implementations to hold. */
const MAX_TAG_LENGTH = 35

const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):[0-9]{1,5}$/i
const QUALITY = /^\s*q=([01](?:\.[0-9]{0,3})?)\s*$/i
/**
 * The tags that `Intl` takes: language, script, region, variants, Unicode's extension, private use. Other extensions, which
 * no browser sends, are refused.
 */
const LANGUAGE_TAG =
  /^(?:[a-z]{2,3}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)(?:-u(?=-[a-z\d]{2})(?:-[a-z\d]{3,8})*(?:-[a-z\d][a-z](?:-[a-z\d]{3,8})*)*)?(?:-x(?:-[a-z\d]{1,8})+)?$/i
/** Tags that are canonical already: a language, or a language and a country. */
const PLAIN_TAG = /^[a-z]{2,3}(?:-[A-Z]{2})?$/

/**
 * Validates an IP address and gives its canonical form; an IPv4-mapped IPv6 address becomes IPv4. A zone and a port, which
 * some load balancers (Azure's) add, are removed.
 *
 * @param raw - The client's address as the framework gives it.
 * @param mode - `false` for none, `'anonymize'` for {@link anonymizeIp}.
 * @returns The address, or `undefined` if there is none or it is not an address.
 */
export function readIp(raw: string | undefined, mode: boolean | 'anonymize'): string | undefined {
  if (raw === undefined || mode === false || raw.length > MAX_IP_LENGTH) return undefined
  return mode === 'anonymize' ? anonymizeIp(raw) : textOf(parseIp(raw))
}

/**
 * Cuts an IP address down to its network: IPv4 to 24 bits, IPv6 to 48, as Google Analytics did. 48 bits are the shortest
 * prefix that one site usually gets (RFC 6177); a home, which has 56 bits or more, is one of many.
 *
 * A 6to4 address holds an IPv4 address in its first 48 bits. It is cut to 40, so that the last octet is removed, too.
 *
 * @param raw - An address in any of its usual forms.
 * @returns The network's first address, or `undefined` if this is no address.
 *
 * @example
 * anonymizeIp('::ffff:203.0.113.77') // '203.0.113.0'
 * anonymizeIp('2001:db8:85a3::8a2e:370:7334') // '2001:db8:85a3::'
 */
export function anonymizeIp(raw: string): string | undefined {
  const ip = parseIp(raw)
  if (ip === undefined) return undefined
  if (typeof ip === 'string') return `${ip.slice(0, ip.lastIndexOf('.'))}.0`
  const [first = 0, second = 0, third = 0] = ip
  const keptOfThird = first === SIX_TO_FOUR ? third & 0xff00 : third
  return addressOf([first, second, keptOfThird, 0, 0, 0, 0, 0])
}

/**
 * The network that a client is counted by: an IPv4 address, or of an IPv6 address the first 64 bits, which one customer
 * has at least.
 *
 * @param raw - The client's address as the framework gives it.
 */
export function networkOf(raw: string | undefined): string | undefined {
  if (raw === undefined || raw.length > MAX_IP_LENGTH) return undefined
  const ip = parseIp(raw)
  if (ip === undefined || typeof ip === 'string') return ip
  return addressOf([...ip.slice(0, 4), 0, 0, 0, 0])
}

/** @returns An IPv4 address as text, which is canonical once Node takes it, and an IPv6 address as its groups. */
function parseIp(raw: string): string | Groups | undefined {
  if (isIPv4(raw)) return raw
  if (raw.startsWith(MAPPED_PREFIX)) {
    const mapped = raw.slice(MAPPED_PREFIX.length)
    if (isIPv4(mapped)) return mapped
  }
  const groups = groupsOf(raw)
  if (groups !== undefined) return isMapped(groups) ? addressOf(groups) : groups
  const [, v6, v4] = WITH_PORT.exec(raw) ?? []
  const bare = v6 ?? v4
  return bare === undefined ? undefined : parseIp(bare)
}

function textOf(ip: string | Groups | undefined): string | undefined {
  return typeof ip === 'object' ? addressOf(ip) : ip
}

/**
 * Reads the `User-Agent` header, cut at 512 characters.
 *
 * @returns The name of the client, or `undefined` if it sends none.
 */
export function readUserAgent(header: string | undefined): string | undefined {
  return header?.slice(0, MAX_USER_AGENT_LENGTH).trim() || undefined
}

/**
 * Reads the preferred language from an `Accept-Language` header: the first valid tag of the highest quality. `*` is no
 * language.
 *
 * @returns A BCP 47 language tag, such as `fr-CH`; `undefined` if the header names no language.
 *
 * @example
 * readLocale('fr-CH, fr;q=0.9, *;q=0.5') // 'fr-CH'
 */
export function readLocale(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const head = headOf(header)
  let best: string | undefined
  let bestQuality = 0
  let left = MAX_LANGUAGES
  for (let start = 0; start < head.length && left-- > 0 && bestQuality < 1; ) {
    const comma = head.indexOf(',', start)
    const end = comma === -1 ? head.length : comma
    const entry = head.slice(start, end)
    start = end + 1
    const quality = qualityOf(entry)
    if (quality <= bestQuality) continue
    const tag = languageTagIn(entry)
    if (tag === undefined) continue
    best = tag
    bestQuality = quality
  }
  return best === undefined || PLAIN_TAG.test(best) ? best : Intl.getCanonicalLocales(best)[0]
}

/** The entries that are complete within the length that is looked at: half a tag is another language. */
function headOf(header: string): string {
  if (header.length <= MAX_ACCEPT_LANGUAGE_LENGTH) return header
  return header.slice(0, header.lastIndexOf(',', MAX_ACCEPT_LANGUAGE_LENGTH) + 1)
}

/** The quality of an entry; 0 if it is malformed. */
function qualityOf(entry: string): number {
  const semicolon = entry.indexOf(';')
  return semicolon === -1 ? 1 : Number(QUALITY.exec(entry.slice(semicolon + 1))?.[1] ?? 0)
}

/** A tag that `Intl` takes: it throws at all others, and an exception takes as long as a hundred tags. */
function languageTagIn(entry: string): string | undefined {
  const semicolon = entry.indexOf(';')
  const tag = (semicolon === -1 ? entry : entry.slice(0, semicolon)).trim()
  if (PLAIN_TAG.test(tag)) return tag
  if (tag.length > MAX_TAG_LENGTH) return undefined
  const variants = LANGUAGE_TAG.exec(tag)?.[1]
  return variants === undefined || hasRepeat(variants.toLowerCase().split('-')) ? undefined : tag
}

function hasRepeat(subtags: readonly string[]): boolean {
  return new Set(subtags).size < subtags.length
}
