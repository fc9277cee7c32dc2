import type { TellProblem } from './call-store.js'
import { forgetFound, hasFound, keepFound, markBroken, protect, putFoundBack } from './directory.js'
import {
  type Database,
  hasLeftOut,
  hold,
  isDamaged,
  isTaken,
  letGo,
  openDatabase,
  probeLock,
  repairDatabase,
} from './engine.js'
import { countCalls, LevelStore, type StoreListener } from './level-store.js'
import type { MarkContent } from './mark.js'

interface Opened {
  readonly db: Database
  readonly calls: number
}

/**
 * Opens the store of an ended process, mended if it has to be.
 *
 * @param tell - Hears that it is damaged, and how many calls are lost with that.
 * @returns Nothing if it cannot be read at all: it is then kept as `*.broken`.
 * @throws If another process owns it, or it cannot be used at the moment.
 */
export async function openLeftStore(
  directory: string,
  mark: MarkContent | undefined,
  tell: TellProblem,
  listener: StoreListener,
): Promise<LevelStore | undefined> {
  hold(directory)
  let opened: Opened | undefined
  try {
    await probeLock(directory)
    await keepFound(directory)
    opened = await openWhole(directory, mark)
    const isMended = opened === undefined
    if (!opened) {
      // A process that was killed while it made its store has left nothing in it.
      if ((await hasFound(directory)) || mark?.calls)
        tell('the store of an ended process is damaged: its readable calls are sent', undefined)
      opened = await mend(directory)
    }
    const missing = Math.max(0, (mark?.calls ?? 0) - opened.calls)
    if (missing > 0) listener.missing(missing)
    const isBroken = missing > 0 || (isMended && !mark && (await hasFound(directory)))
    if (!isMended) await forgetFound(directory)
    await protect(directory)
    return await LevelStore.of(opened.db, directory, { mark, missing, isBroken }, listener)
  } catch (error) {
    await opened?.db.close()
    letGo(directory)
    if (!isDamaged(error)) throw error
    tell('the store of an ended process cannot be read: it is kept as *.broken', error, mark?.calls ?? 0)
    await markBroken(directory).catch(() => {})
    return undefined
  }
}

/** Opens a copy of a store to look at, whatever can be read of it. */
export async function openCopy(directory: string): Promise<LevelStore> {
  const { db } = (await openWhole(directory, undefined)) ?? (await mend(directory))
  return LevelStore.of(db, directory, { mark: undefined, missing: 0, isBroken: false })
}

/** Opens a store from which nothing is missing. */
async function openWhole(directory: string, mark: MarkContent | undefined): Promise<Opened | undefined> {
  let db: Database | undefined
  try {
    db = await openDatabase(directory, false)
    const calls = await countCalls(db)
    if (calls >= (mark?.calls ?? 0) && !(await hasLeftOut(directory))) return { db, calls }
  } catch (error) {
    if (isTaken(error) || !isDamaged(error)) {
      await db?.close()
      throw error
    }
  }
  await db?.close()
  return undefined
}

/** Builds the database anew from all files that there were. */
async function mend(directory: string): Promise<Opened> {
  await putFoundBack(directory)
  await repairDatabase(directory)
  const db = await openDatabase(directory, false)
  try {
    return { db, calls: await countCalls(db) }
  } catch (error) {
    await db.close()
    throw error
  }
}
