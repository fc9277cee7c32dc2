import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
const ID_LENGTH = 2 * ID_BYTES
/** Random bytes are drawn and encoded for many ids at once: a single id would cost ten times as much. */
const pool = Buffer.alloc(ID_BYTES * 256)
let digits = ''
let used = 0

/**
 * Makes a unique id: 128 random bits as 32 lower-case hex digits, never all zero. It has the form of a W3C trace id, and
 * its first half that of a span id.
 *
 * Source: W3C Trace Context, "trace-id".
 */
export function randomId(): string {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString('hex')
    used = 0
  }
  const id = digits.slice(used, used + ID_LENGTH)
  used += ID_LENGTH
  return id
}
