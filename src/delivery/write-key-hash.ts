import { createHash } from 'node:crypto'

/** What stands for a write key where it must not be seen: in stores, logs and metrics. `undefined` without a key. */
export function writeKeyHashOf(writeKey: string | undefined): string | undefined {
  return writeKey && createHash('sha256').update(writeKey).digest('hex').slice(0, 16)
}
