import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsedRecord } from '../../model/parsed-json.js'
import { ASIDE_FILE, OLDER_ASIDE_FILE } from './aside.js'
import { FILE_MODE } from './directory.js'
import type { Erasure } from './outbox.js'

/** Whether a call's parameters, as JSON, are of a person whose calls are erased. */
export function isOf({ userId, anonymousId }: Erasure, text: string): boolean {
  const params = parsedRecord(text)
  if (!params) return false
  return (
    (userId !== undefined && (params.userId === userId || params.previousId === userId)) ||
    (anonymousId !== undefined && (params.anonymousId === anonymousId || params.previousId === anonymousId))
  )
}

/**
 * Removes a person's lines from the files of calls that were set aside, and tells how many there were.
 *
 * @param isOurs - Whether calls of a write key are concerned; older lines do not say of which they are.
 */
export function eraseAside(
  directory: string,
  whose: Erasure,
  isOurs: (writeKeyHash: string | undefined) => boolean,
): Promise<number> {
  return takeOutAside(directory, (line) => {
    const parsed = parsedRecord(line)
    return (
      parsed !== undefined && isOurs(hashIn(parsed)) && isOf(whose, JSON.stringify(parsed.params ?? null))
    )
  })
}

/** Takes lines out of the files of calls that were set aside, and tells how many there were. */
export async function takeOutAside(directory: string, isTaken: (line: string) => boolean): Promise<number> {
  let taken = 0
  for (const name of [OLDER_ASIDE_FILE, ASIDE_FILE]) {
    const file = join(directory, name)
    const text = await readFile(file, 'utf8').catch(() => '')
    const lines = text.split('\n')
    const kept = lines.filter((line) => line === '' || !isTaken(line))
    if (kept.length === lines.length) continue
    const anew = `${file}.erasing`
    await writeFile(anew, kept.join('\n'), { mode: FILE_MODE })
    await rename(anew, file)
    taken += lines.length - kept.length
  }
  return taken
}

/** The hash of the write key that a line says its call was made for. */
export function hashIn({ writeKeyHash }: Record<string, unknown>): string | undefined {
  return typeof writeKeyHash === 'string' && writeKeyHash !== '' ? writeKeyHash : undefined
}
