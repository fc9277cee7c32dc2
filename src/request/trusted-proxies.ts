import ipaddr from 'ipaddr.js'

/**
 * Which proxies in front of the server are believed about the client, as Express's `trust proxy` has it:
 *
 * - `true`: all; the client is the first address of `X-Forwarded-For`, which anybody can write;
 * - a number: so many, counted from the server;
 * - addresses, networks (`10.0.0.0/8`, `10.0.0.0/255.0.0.0`) and the names `loopback`, `linklocal` and `uniquelocal`, in a
 *   list or separated by commas;
 * - a function that is asked with an address and its place, which is 0 for the peer of the connection.
 */
export type TrustProxy =
  | boolean
  | number
  | string
  | readonly string[]
  | ((address: string, hop: number) => boolean)

/** Whether an address at a place of the chain is trusted. The address is unknown once the connection has closed. */
export type Trust = (address: string | undefined, hop: number) => boolean

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = readonly [address: Address, bits: number]

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}
/** The bits before the IPv4 address in a mapped one: RFC 4291, section 2.5.5.2. */
const MAPPED_BITS = 96

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
  if (!ipaddr.isValid(text)) throw expected(JSON.stringify(notation))
  const parsed = ipaddr.parse(text)
  if (slash === -1) {
    const address = unmapped(parsed)
    return [address, bitsOf(address)]
  }
  const bits = prefixLength(notation.slice(slash + 1), parsed)
  if (bits === undefined || bits <= 0 || bits > bitsOf(parsed)) throw expected(JSON.stringify(notation))
  return [parsed, bits]
}

/** The length of a network's prefix, from a number or an IPv4 netmask. */
function prefixLength(range: string, address: Address): number | undefined {
  if (/^\d+$/.test(range)) return Number(range)
  if (address.kind() !== 'ipv4' || !ipaddr.IPv4.isValid(range)) return undefined
  return ipaddr.IPv4.parse(range).prefixLengthFromSubnetMask() ?? undefined
}

function trustIn(networks: readonly Network[]): Trust {
  return (text) => {
    if (text === undefined || !ipaddr.isValid(text)) return false
    const address = unmapped(ipaddr.parse(text))
    return networks.some((network) => isIn(address, network))
  }
}

/** An IPv4 address is in a network of mapped ones only if that has the whole mark of a mapped address. */
function isIn(address: Address, [base, bits]: Network): boolean {
  if (address instanceof ipaddr.IPv4) {
    if (base instanceof ipaddr.IPv4) return address.match(base, bits)
    return (
      base.isIPv4MappedAddress() && bits >= MAPPED_BITS && address.toIPv4MappedAddress().match(base, bits)
    )
  }
  return base instanceof ipaddr.IPv6 && !base.isIPv4MappedAddress() && address.match(base, bits)
}

function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function bitsOf(address: Address): number {
  return address.kind() === 'ipv6' ? 128 : 32
}

function expected(given: string): TypeError {
  return new TypeError(
    `trustProxy was given ${given}: expected true, false, how many proxies, ` +
      "addresses or networks such as '10.0.0.0/8' or 'loopback', or a function",
  )
}
