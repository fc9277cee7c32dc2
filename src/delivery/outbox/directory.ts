import { chmod, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { wallTime } from '../../support/clock.js'
import { ASIDE_FILE, BROKEN, OLDER_ASIDE_FILE } from './aside.js'

/** The name of a store: each process has one in the directory. */
const STORE = /^\d{13}-\d+-[0-9a-f]{8}$/
/** The suffix of a store that is being removed, which every process may finish. */
const DONE = '.done'
/** The file of a store that says what it is. */
export const MARK_FILE = 'reqtrack'
/** The directory in a store with the engine's files as they were found: the engine removes those that it cannot place. */
export const FOUND = 'found'
/** The engine's files with calls. */
const ENGINE_FILE = /\.(ldb|sst|log)$/

/** Nobody else may read personal data. */
export const DIRECTORY_MODE = 0o700
export const FILE_MODE = 0o600

/**
 * Makes a missing directory, readable by nobody else. A directory with other files keeps its mode: the stores protect
 * themselves.
 */
export async function makeDirectory(directory: string): Promise<void> {
  await makePath(directory)
  if ((await readdir(directory)).every(isOurs)) await chmod(directory, DIRECTORY_MODE)
}

/** Node's own recursive `mkdir` never ends where a directory cannot be made in one that exists, as in `/proc`. */
async function makePath(directory: string): Promise<void> {
  const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
  try {
    await mkdir(directory, { mode: DIRECTORY_MODE })
  } catch (error) {
    const there = await stat(directory).catch(() => undefined)
    if (there?.isDirectory()) return
    const parent = resolve(directory, '..')
    if (!isMissing(error) || parent === directory) throw error
    if (
      await stat(parent).then(
        () => true,
        () => false,
      )
    )
      throw error
    await makePath(parent)
    await mkdir(directory, { mode: DIRECTORY_MODE })
  }
}

function isOurs(name: string): boolean {
  return name === ASIDE_FILE || name === OLDER_ASIDE_FILE || STORE.test(name.replace(/\.(done|broken)$/, ''))
}

/** Names a store of this process. Names sort by age. */
export function newStoreName(random: string): string {
  return `${String(wallTime()).padStart(13, '0')}-${process.pid}-${random}`
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

/** Keeps the files with calls that the engine may remove when it opens a damaged store. They take no room of their own. */
export async function keepFound(store: string): Promise<void> {
  await mkdir(join(store, FOUND), { recursive: true, mode: DIRECTORY_MODE })
  await linkFiles(store, join(store, FOUND))
}

/** Puts back what the engine has removed. */
export async function putFoundBack(store: string): Promise<void> {
  await linkFiles(join(store, FOUND), store)
}

/** Whether there was anything in them, also where they could not be kept. */
export async function hasFound(store: string): Promise<boolean> {
  for (const directory of [join(store, FOUND), store]) {
    for (const name of await readdir(directory).catch(() => [])) {
      if (ENGINE_FILE.test(name) && (await stat(join(directory, name))).size > 0) return true
    }
  }
  return false
}

/** Forgets the files as they were found. */
export async function forgetFound(store: string): Promise<void> {
  await rm(join(store, FOUND), { recursive: true, force: true })
}

async function linkFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from).catch(() => [])) {
    // Some are there already, and some file systems have no links: nothing is then kept.
    if (ENGINE_FILE.test(name)) await link(join(from, name), join(to, name)).catch(() => {})
  }
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
      const found = await stat(file)
      if (found.isFile() && (found.mode & 0o777) !== FILE_MODE) await chmod(file, FILE_MODE)
    } catch {
      // The engine has removed the file meanwhile.
    }
  }
}
