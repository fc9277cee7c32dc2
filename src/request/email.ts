/** An `@` in any form, or a percent sign that may hide one behind a second encoding. A text without one holds no address. */
const POSSIBLE_AT = /[@＠﹫]|%(?:25|40|bc%a0|b9%ab|(?![\da-f]{2}))/i
/** An `@` after something and before a domain that ends in letters, so that versions (`core@4.2.1`) are none. */
const EMAIL = /[^@]@[^@]*\.(?:[\p{L}%\ufffd]{2}|%\d)/u
const NON_ASCII = /[^\p{ASCII}]/u
/** The full stops that domain names may have (RFC 3490, section 3.1); compatibility forms of ASCII are normalised before. */
const IDEOGRAPHIC_STOP = /[\u3002\uff61]/g
/** A percent sign, however often it was encoded. */
const ENCODED_PERCENT = /%(?:25)+/g
/** Texts that encode each other more deeply are made to hide something from nobody but their own sender. */
const MAX_ROUNDS = 4

const PERCENT = 0x25
const HEX_DIGITS = '0123456789abcdef'
/** The value of each byte as a hexadecimal digit; -1 for others. */
const DIGIT_OF = Int8Array.from({ length: 256 }, (_, byte) =>
  HEX_DIGITS.indexOf(String.fromCharCode(byte).toLowerCase()),
)

/**
 * Whether an e-mail address is in a text, also percent-encoded, several times over, or in full-width characters
 * (`ada＠example。com`), which mail programs and browsers take for their usual forms.
 */
export function holdsEmail(text: string): boolean {
  return POSSIBLE_AT.test(text) && EMAIL.test(normalised(text))
}

/** Whether a text needs {@link holdsEmail}: takes far less time. */
export function mayHoldEmail(text: string): boolean {
  return POSSIBLE_AT.test(text)
}

function normalised(text: string): string {
  let plain = text
  for (let round = 0; round < MAX_ROUNDS && plain.includes('%'); round++) {
    const decoded = decodeLeniently(plain.replace(ENCODED_PERCENT, '%'))
    if (decoded === plain) break
    plain = decoded
  }
  return NON_ASCII.test(plain) ? plain.normalize('NFKC').replace(IDEOGRAPHIC_STOP, '.') : plain
}

/** Decodes what is percent-encoded and leaves the rest: here malformed text is no reason not to look. */
function decodeLeniently(text: string): string {
  const bytes = Buffer.from(text)
  let to = 0
  for (let from = 0; from < bytes.length; to++) {
    const encoded = bytes[from] === PERCENT ? byteOf(bytes[from + 1], bytes[from + 2]) : -1
    bytes[to] = encoded < 0 ? (bytes[from] ?? 0) : encoded
    from += encoded < 0 ? 1 : 3
  }
  return bytes.toString('utf8', 0, to)
}

/** The byte that two hexadecimal digits stand for; negative if they are none. */
function byteOf(high: number | undefined, low: number | undefined): number {
  const first = DIGIT_OF[high ?? 0] ?? -1
  const second = DIGIT_OF[low ?? 0] ?? -1
  return first < 0 || second < 0 ? -1 : first * 16 + second
}
