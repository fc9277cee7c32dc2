import { type Groups, groupsOf, haveSamePrefix, isMapped } from './ip-address.js'

/**
 * Which proxies in front of the server are believed about the client, as Express's `trust proxy` has it:
 *
 * - `true`: all; the client is the first address of `X-Forwarded-For`, which anybody can write;
 * - a number: so many, counted from the server;
 * - addresses, networks (`10.0.0.0/8`, `10.0.0.0/255.0.0.0`) and the names `loopback`, `linklocal` and `uniquelocal`, in a
 *   list or separated by commas;
 * - a function that is asked with an address and its place, which is 0 for the peer of the connection.
 *
 * Unlike Express, it takes no short, octal or hexadecimal IPv4 address (`10.1`, `012.0.0.1`) for an address.
 */
export type TrustProxy =
  | boolean
  | number
  | string
  | readonly string[]
  | ((address: string, hop: number) => boolean)

/** Whether an address at a place of the chain is trusted. The address is unknown once the connection has closed. */
export type Trust = (address: string | undefined, hop: number) => boolean

/** A network's first address, and how many of the 128 bits of IPv6 belong to the network. */
type Network = readonly [base: Groups, bits: number]

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}
/** The bits before the IPv4 address in a mapped one: RFC 4291, section 2.5.5.2. */
const MAPPED_BITS = 96
const ALL_BITS = 128

/**
 * Compiles the option.
 *
 * @throws TypeError for what is neither an address, a network nor one of the names, and for values of other types.
 */
export function compileTrust(given: unknown): Trust {
  if (typeof given === 'function') return (address, hop) => Boolean(given(address, hop))
  if (typeof given === 'boolean' || given === undefined) return () => given === true
  if (typeof given === 'number') return (_address, hop) => hop < given
  const notations = typeof given === 'string' ? given.split(',').map((each) => each.trim()) : given
  if (!Array.isArray(notations)) throw expected(typeof given)
  return trustIn(notations.flatMap(networksOf))
}

/** The client's address: the first one, seen from the server, that is not trusted to name the next. */
export function addressThrough(
  trust: Trust,
  peer: string | undefined,
  forwardedFor: string | string[] | undefined,
): string | undefined {
  const chain = [peer, ...addressesIn(String(forwardedFor ?? ''))]
  const end = chain.findIndex((address, hop) => hop === chain.length - 1 || !trust(address, hop))
  return chain[end]
}

/** The first of a header's values, which proxies separate by commas. */
export function firstForwarded(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(',', 1)[0]?.trim() || undefined
}

/** The addresses of `X-Forwarded-For`, the nearest proxy's first. */
function addressesIn(header: string): string[] {
  const addresses = header.split(',').map((each) => each.trim())
  return addresses.filter((each) => each !== '').reverse()
}

function networksOf(notation: unknown): Network[] {
  if (typeof notation !== 'string') throw expected(typeof notation)
  const named = Object.hasOwn(NAMED, notation) ? NAMED[notation] : undefined
  return (named ?? [notation]).map(networkOf)
}

function networkOf(notation: string): Network {
  const slash = notation.lastIndexOf('/')
  const text = slash === -1 ? notation : notation.slice(0, slash)
  const base = groupsOf(text)
  if (base === undefined) throw expected(JSON.stringify(notation))
  if (slash === -1) return [base, ALL_BITS]
  const before = text.includes(':') ? 0 : MAPPED_BITS
  const bits = prefixLength(notation.slice(slash + 1), before)
  if (bits > before && bits <= ALL_BITS) return [base, bits]
  throw expected(JSON.stringify(notation))
}

/** The length of a network's prefix, from a number or an IPv4 netmask; `NaN` if it is neither. */
function prefixLength(range: string, before: number): number {
  if (/^\d+$/.test(range)) return before + Number(range)
  return before === 0 ? Number.NaN : maskLength(range)
}

/** @returns The bits of a netmask such as `255.255.0.0`, those before the IPv4 address included; `NaN` if it has gaps. */
function maskLength(mask: string): number {
  const groups = groupsOf(mask)
  if (groups === undefined || !isMapped(groups)) return Number.NaN
  const bits = groups
    .slice(-2)
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('')
  const ones = /^(1*)0*$/.exec(bits)?.[1]
  return ones === undefined ? Number.NaN : MAPPED_BITS + ones.length
}

function trustIn(networks: readonly Network[]): Trust {
  return (text) => {
    const address = text === undefined ? undefined : groupsOf(text)
    return address !== undefined && networks.some((network) => isIn(address, network))
  }
}

/** A network below a mapped address is one of IPv4 if it has the whole mark of that, and otherwise none, as Express has it. */
function isIn(address: Groups, [base, bits]: Network): boolean {
  if (isMapped(address) !== isMapped(base)) return false
  return (bits >= MAPPED_BITS || !isMapped(base)) && haveSamePrefix(address, base, bits)
}

function expected(given: string): TypeError {
  return new TypeError(
    `trustProxy was given ${given}: expected true, false, how many proxies, ` +
      "addresses or networks such as '10.0.0.0/8' or 'loopback', or a function",
  )
}
