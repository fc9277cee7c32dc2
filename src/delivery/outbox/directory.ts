import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The name of a store: each process has one in the directory. */
const STORE = /^\d{13}-\d+-[0-9a-f]{8}$/
/** The suffix of a store that is being removed: any process may finish that. */
const DONE = '.done'
/** The suffix of an unreadable store, which is kept for a person to look at. */
const BROKEN = '.broken'
/** The file of calls that were set aside, one line of JSON each. */
export const ASIDE_FILE = 'aside.jsonl'

/** Nobody else may read personal data. */
export const DIRECTORY_MODE = 0o700
export const FILE_MODE = 0o600

/**
 * Makes a missing directory, readable by nobody else. A directory with other files keeps its mode: the stores protect
 * themselves.
 */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
  if ((await readdir(directory)).every(isOurs)) await chmod(directory, DIRECTORY_MODE)
}

function isOurs(name: string): boolean {
  return name === ASIDE_FILE || STORE.test(name.replace(/\.(done|broken)$/, ''))
}

/** Names a store of this process. Names sort by age. */
export function newStoreName(random: string): string {
  return `${String(Date.now()).padStart(13, '0')}-${process.pid}-${random}`
}

/** The names of the stores in a directory, oldest first. */
export async function storeNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => STORE.test(name)).sort()
}

/** Removes stores whose removal an earlier process did not finish. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.endsWith(DONE)) await removeStore(join(directory, name))
  }
}

/** Renames an empty store before it is closed, so that no process adopts it. */
export async function markDone(store: string): Promise<string> {
  const retired = store + DONE
  await rename(store, retired)
  return retired
}

/** Renames an unreadable store, so that no process opens it again. */
export async function markBroken(store: string): Promise<void> {
  await rename(store, store + BROKEN)
}

/** Removes a store's files. */
export async function removeStore(store: string): Promise<void> {
  await rm(store, { recursive: true, force: true })
}

/** Makes a store's files private: the engine creates them by the process's umask. */
export async function protect(store: string): Promise<void> {
  await chmod(store, DIRECTORY_MODE)
  for (const name of await readdir(store)) {
    const file = join(store, name)
    try {
      if (((await stat(file)).mode & 0o777) !== FILE_MODE) await chmod(file, FILE_MODE)
    } catch {
      // The engine has removed the file meanwhile.
    }
  }
}
