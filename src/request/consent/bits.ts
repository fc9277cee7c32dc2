/** How many bits one character of base64url carries. */
const BITS_PER_CHARACTER = 6

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * Reads a number from a bit field in base64url, the encoding of the IAB's consent strings.
 *
 * It looks only at the characters that carry the bits, so a long string costs no more than a short one.
 *
 * @param text - Base64url without padding.
 * @param from - The offset of the first bit.
 * @param count - The number of bits, at most 24.
 * @returns The number, or `undefined` where the text ends before it or has another character in it.
 */
export function readBits(text: string, from: number, count: number): number | undefined {
  let value = 0
  for (let bit = from; bit < from + count; bit++) {
    const character = text[Math.floor(bit / BITS_PER_CHARACTER)]
    const carried = character === undefined ? -1 : ALPHABET.indexOf(character)
    if (carried === -1) return undefined
    const shift = BITS_PER_CHARACTER - 1 - (bit % BITS_PER_CHARACTER)
    value = value * 2 + ((carried >> shift) & 1)
  }
  return value
}
