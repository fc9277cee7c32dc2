import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parsedRecord } from '../../model/parsed-json.js'
import { asideText } from './aside.js'
import { FOUND, storeNames } from './directory.js'
import { openCopy } from './left-store.js'
import type { StoredCall } from './outbox.js'

/** The calls of one process in an outbox. */
export interface StoreContent {
  /** The store's name: when and by which process it was made. */
  readonly name: string
  readonly calls: readonly StoredCall[]
}

/** A call that was set aside, as it was written. */
export interface AsideLine {
  readonly reason: string
  readonly detail: string | undefined
  readonly line: string
}

const READ_AT_ONCE = 1_000

/**
 * Reads the waiting calls of an outbox, also while processes use it: it copies each store, since only the owner may open
 * it. Changes made meanwhile may be missing.
 *
 * @param but - Names of stores that are left out.
 * @throws If the directory cannot be read.
 */
export async function readStores(
  directory: string,
  but: ReadonlySet<string> = new Set(),
): Promise<StoreContent[]> {
  const stores: StoreContent[] = []
  for (const name of await storeNames(directory))
    if (!but.has(name)) stores.push({ name, calls: await readCopy(join(directory, name)) })
  return stores
}

/** Reads the calls that were set aside, without damaged lines. */
export async function readAside(directory: string): Promise<AsideLine[]> {
  const text = await asideText(directory)
  return text.split('\n').flatMap((line) => {
    const parsed = line ? parsedRecord(line) : undefined
    if (!parsed) return []
    const { reason, detail } = parsed
    return [{ reason: String(reason), detail: typeof detail === 'string' ? detail : undefined, line }]
  })
}

async function readCopy(store: string): Promise<StoredCall[]> {
  // mkdtemp makes it 0700: the copy holds personal data, too.
  const temporary = await mkdtemp(join(tmpdir(), 'reqtrack-outbox-'))
  const copy = join(temporary, basename(store))
  try {
    await cp(store, copy, { recursive: true, filter: (file) => basename(file) !== FOUND })
    const opened = await openCopy(copy)
    const calls: StoredCall[] = []
    for (let after = -1; ; ) {
      const some = await opened.read(after, READ_AT_ONCE)
      calls.push(...some)
      const last = some.at(-1)
      if (!last || some.length < READ_AT_ONCE) break
      after = last.number
    }
    await opened.close()
    return calls
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
