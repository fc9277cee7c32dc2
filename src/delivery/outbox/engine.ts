import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'

/** A LevelDB database. */
export type Database = ClassicLevel<string, string>

/**
 * The stores that this process has open, for all copies of this package. The engine's lock does not suffice: opening a store
 * twice fails, but closing the second file releases the process's lock on the first.
 */
const HELD = Symbol.for('reqtrack.outbox.held')

function heldStores(): Set<string> {
  const known: unknown = Reflect.get(globalThis, HELD)
  if (known instanceof Set) return known
  const held = new Set<string>()
  Reflect.set(globalThis, HELD, held)
  return held
}

/** Keeps a store from the other trackings of this process. */
export function hold(store: string): void {
  const held = heldStores()
  if (held.has(store))
    throw Object.assign(new Error('this process has the store open'), { code: 'LEVEL_LOCKED' })
  held.add(store)
}

/** Leaves a store to others. */
export function letGo(store: string): void {
  heldStores().delete(store)
}

/**
 * Opens a database and locks it for this process.
 *
 * @param isNew - Whether it is made. The engine makes a new one over the files of another whose `CURRENT` is missing.
 * @throws If another process owns it, it is damaged, or the engine is not installed.
 */
export async function openDatabase(store: string, isNew: boolean): Promise<Database> {
  const { ClassicLevel } = await loadEngine()
  const db = new ClassicLevel<string, string>(store, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await db.open({ createIfMissing: isNew })
  return db
}

/**
 * Checks that no other process owns a store, without a change to its files.
 *
 * @throws If one does, or the store cannot be used at the moment.
 */
export async function probeLock(store: string): Promise<void> {
  const { ClassicLevel } = await loadEngine()
  const db = new ClassicLevel<string, string>(store)
  try {
    // The engine locks the store first, and then refuses one that exists.
    await db.open({ createIfMissing: false, errorIfExists: true })
    await db.close()
  } catch (error) {
    if (!isDamaged(error)) throw error
  }
}

/** Builds a database anew from all its files that can be read. */
export async function repairDatabase(store: string): Promise<void> {
  const { ClassicLevel } = await loadEngine()
  await ClassicLevel.repair(store)
}

/** Whether the engine has left something out when it opened a store: only its own log says so. */
export async function hasLeftOut(store: string): Promise<boolean> {
  const said = await readFile(join(store, 'LOG'), 'utf8').catch(() => '')
  return /dropping \d+ bytes|Ignoring error/.test(said)
}

/** Whether an error of the engine means damaged files, rather than files that are unusable at the moment. */
export function isDamaged(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && each.code === 'LEVEL_CORRUPTION') return true
    // The engine reads beyond the end of a truncated table, misses what it has itself written, and calls neither corruption.
    if (/Invalid argument|No such file/.test(each.message)) return true
  }
  return false
}

/** Whether an error means that another process owns a store, or has removed it. */
export function isTaken(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && (each.code === 'LEVEL_LOCKED' || each.code === 'ENOENT')) return true
  }
  return false
}

/** The engine is an optional peer dependency, needed only for an outbox. */
async function loadEngine(): Promise<typeof import('classic-level')> {
  try {
    return await import('classic-level')
  } catch (error) {
    throw new Error('the outbox needs the package classic-level: npm install classic-level', { cause: error })
  }
}
