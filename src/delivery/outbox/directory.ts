import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An outbox's directory: a store for each process, and the file of what is kept aside. */
const STORE = /^\d{13}-\d+-[0-9a-f]{8}$/
/** A store that is being removed: whoever finds it removes it. */
const DONE = '.done'
/** A store that cannot be read. It is kept, in case somebody can. */
const BROKEN = '.broken'
/** What is kept aside, one line of JSON each. */
export const ASIDE_FILE = 'aside.jsonl'

/** Personal data: nobody else is to read it. */
export const DIRECTORY_MODE = 0o700
export const FILE_MODE = 0o600

/**
 * Makes the directory where it is missing, readable by nobody else. One that holds other things, too, is left as it is: the
 * stores in it are closed to others themselves.
 */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
  if ((await readdir(directory)).every(isOurs)) await chmod(directory, DIRECTORY_MODE)
}

function isOurs(name: string): boolean {
  return name === ASIDE_FILE || STORE.test(name.replace(/\.(done|broken)$/, ''))
}

/** A name for a store of this process: names sort by age. */
export function newStoreName(random: string): string {
  return `${String(Date.now()).padStart(13, '0')}-${process.pid}-${random}`
}

/** The names of the stores in a directory, oldest first. */
export async function storeNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => STORE.test(name)).sort()
}

/** Removes stores that an earlier process was removing when it ended. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.endsWith(DONE)) await removeStore(join(directory, name))
  }
}

/** Takes a store out of everybody's sight before it is closed: an empty one is nothing to adopt. */
export async function retire(store: string): Promise<string> {
  const retired = store + DONE
  await rename(store, retired)
  return retired
}

/** Puts a store that cannot be read out of the way. */
export async function condemn(store: string): Promise<void> {
  await rename(store, store + BROKEN)
}

/** Removes a store's files. */
export async function removeStore(store: string): Promise<void> {
  await rm(store, { recursive: true, force: true })
}

/** Sees to it that nobody else can read a store's files: the engine makes them as the process's umask says. */
export async function protect(store: string): Promise<void> {
  await chmod(store, DIRECTORY_MODE)
  for (const name of await readdir(store)) {
    const file = join(store, name)
    try {
      if (((await stat(file)).mode & 0o777) !== FILE_MODE) await chmod(file, FILE_MODE)
    } catch {
      // The engine has removed it meanwhile.
    }
  }
}
