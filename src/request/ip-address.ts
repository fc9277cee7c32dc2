import { isIPv4, isIPv6 } from 'node:net'

/**
 * An address as the eight groups of 16 bits of IPv6. An IPv4 address has the form that maps it into IPv6: RFC 4291,
 * section 2.5.5.2.
 */
export type Groups = readonly number[]

const GROUPS = 8
const GROUP_BITS = 16
/** The first six groups of a mapped IPv4 address. */
const MAPPED: Groups = [0, 0, 0, 0, 0, 0xffff]
/** Two groups of zeros or more, which `::` stands for. */
const ZEROS = /(?:^|:)0(?::0)+(?=:|$)/g

/**
 * Takes an address apart.
 *
 * @param text - An address without port and brackets; the zone of an IPv6 address is left out.
 * @returns Its groups, or `undefined` if it is no address.
 */
export function groupsOf(text: string): Groups | undefined {
  if (isIPv4(text)) return [...MAPPED, ...groupsOfIPv4(text)]
  if (!isIPv6(text)) return undefined
  const [address = ''] = text.split('%', 1)
  const [head = '', tail] = address.split('::', 2)
  const first = groupsIn(head)
  if (tail === undefined) return first
  const last = groupsIn(tail)
  return [...first, ...new Array<number>(GROUPS - first.length - last.length).fill(0), ...last]
}

/** @returns The address in its canonical form (RFC 5952); a mapped IPv4 address as IPv4. */
export function addressOf(groups: Groups): string {
  if (isMapped(groups)) {
    return groups.slice(MAPPED.length).flatMap(bytesOf).join('.')
  }
  const text = groups.map((group) => group.toString(16)).join(':')
  const [longest] = [...text.matchAll(ZEROS)].sort((a, b) => zerosIn(b[0]) - zerosIn(a[0]))
  if (longest === undefined) return text
  const { index } = longest
  const end = index + longest[0].length
  return `${text.slice(0, index)}::${text.slice(end + 1)}`
}

/** Whether the groups stand for an IPv4 address. */
export function isMapped(groups: Groups): boolean {
  return MAPPED.every((group, place) => groups[place] === group)
}

/** Whether two addresses have the same first bits. */
export function haveSamePrefix(one: Groups, other: Groups, bits: number): boolean {
  return one.every((group, place) => {
    const compared = Math.min(Math.max(bits - place * GROUP_BITS, 0), GROUP_BITS)
    const ignored = GROUP_BITS - compared
    return group >> ignored === (other[place] ?? 0) >> ignored
  })
}

function groupsIn(part: string): number[] {
  if (part === '') return []
  return part
    .split(':')
    .flatMap((group) => (group.includes('.') ? groupsOfIPv4(group) : Number.parseInt(group, 16)))
}

function groupsOfIPv4(address: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}

function bytesOf(group: number): number[] {
  return [group >> 8, group & 0xff]
}

function zerosIn(run: string): number {
  return run.split('0').length
}
