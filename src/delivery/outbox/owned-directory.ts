import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parsedRecord } from '../../model/parsed-json.js'
import { CALL_TYPES } from '../../model/segment-call.js'
import { isRecord } from '../../model/values.js'
import { wallTime } from '../../support/clock.js'
import { addAside, asideText, BROKEN } from './aside.js'
import { FILE_MODE, newStoreName, removeLeftovers, storeNames } from './directory.js'
import { isTaken } from './engine.js'
import { eraseAside, hashIn, isOf, takeOutAside } from './erasure.js'
import { openLeftStore } from './left-store.js'
import { readFrom } from './left-stores.js'
import { LevelStore, type StoreListener } from './level-store.js'
import { readMark } from './mark.js'
import type { Erasure, StoredCall } from './outbox.js'
import { FORMAT } from './record.js'

const WRITTEN_AT_ONCE = 500

/** Whether calls of a write key are concerned; of the first file format nobody knows whose they are. */
export type ChoosesKey = (writeKeyHash: string | undefined) => boolean

/** An outbox in a directory that no process uses: it can be changed. */
export class OwnedDirectory {
  readonly #directory: string
  readonly #stores: readonly LevelStore[]

  private constructor(directory: string, stores: readonly LevelStore[]) {
    this.#directory = directory
    this.#stores = stores
  }

  /**
   * Takes every store of the directory.
   *
   * @param tell - Hears of what is damaged.
   * @returns Nothing if a process uses one of them.
   */
  static async open(
    directory: string,
    tell: (problem: string, error: unknown) => void,
  ): Promise<OwnedDirectory | undefined> {
    await removeLeftovers(directory)
    const stores: LevelStore[] = []
    const owned = new OwnedDirectory(directory, stores)
    try {
      for (const name of await storeNames(directory)) {
        const path = join(directory, name)
        const mark = await readMark(path)
        if (mark && mark.format > FORMAT) {
          tell('a newer version has written a store of the outbox: it is left as it is', undefined)
          continue
        }
        const store = await openLeftStore(path, mark, tell, listenerOf(directory, tell))
        if (store) stores.push(store)
      }
      return owned
    } catch (error) {
      await owned.close()
      if (isTaken(error)) return undefined
      throw error
    }
  }

  /**
   * Lets calls that were set aside wait again, as if they were made now.
   *
   * @param keyOf - The write key of calls that do not say theirs; `undefined` leaves them.
   * @returns How many wait again, and how many stay: of other write keys, or no calls.
   */
  async retry(isChosen: ChoosesKey, keyOf: string | undefined): Promise<{ waiting: number; left: number }> {
    const ofKeys = new Map<string, StoredCall[]>()
    const lines = new Set<string>()
    let left = 0
    for (const line of (await asideText(this.#directory)).split('\n')) {
      if (line === '') continue
      const call = callIn(line, keyOf)
      if (!call?.writeKeyHash || !isChosen(call.writeKeyHash)) {
        left++
        continue
      }
      lines.add(line)
      ofKeys.set(call.writeKeyHash, [...(ofKeys.get(call.writeKeyHash) ?? []), call])
    }
    for (const calls of ofKeys.values()) await this.#write(calls)
    // They are taken out when they are written: twice is better than never.
    const waiting = await takeOutAside(this.#directory, (line) => lines.has(line))
    return { waiting, left }
  }

  /** Removes a person's calls, and tells how many waited and how many were set aside. */
  async erase(whose: Erasure, isChosen: ChoosesKey): Promise<{ waiting: number; aside: number }> {
    const waiting = await this.#remove((call) => isChosen(call.writeKeyHash) && isOf(whose, call.text))
    return { waiting, aside: await eraseAside(this.#directory, whose, isChosen) }
  }

  /** Removes all calls, and what could not be read; tells how many calls waited and how many were set aside. */
  async purge(isChosen: ChoosesKey, isAll: boolean): Promise<{ waiting: number; aside: number }> {
    const waiting = await this.#remove((call) => isChosen(call.writeKeyHash))
    const aside = await takeOutAside(this.#directory, (line) => isAll || isChosen(keyIn(line)))
    if (isAll) {
      for (const name of await readdir(this.#directory))
        if (name.endsWith(BROKEN)) await rm(join(this.#directory, name), { recursive: true, force: true })
    }
    return { waiting, aside }
  }

  /** Leaves the stores to the next process; empty ones are removed. */
  async close(): Promise<void> {
    // One that is damaged is kept as *.broken, which was told.
    for (const store of this.#stores) await store.close().catch(() => {})
  }

  async #remove(isRemoved: (call: StoredCall) => boolean): Promise<number> {
    let count = 0
    for (const store of this.#stores) {
      const numbers: number[] = []
      for await (const { number, ...call } of readFrom(store, -1)) {
        const writeKeyHash = call.writeKeyHash ?? store.writeKeyHash
        if (isRemoved({ ...call, writeKeyHash })) numbers.push(number)
      }
      if (numbers.length > 0) await store.remove(numbers)
      count += numbers.length
    }
    return count
  }

  async #write(calls: readonly StoredCall[]): Promise<void> {
    const name = newStoreName(randomBytes(4).toString('hex'))
    const store = await LevelStore.make(
      join(this.#directory, name),
      listenerOf(this.#directory, () => {}),
    )
    for (let from = 0; from < calls.length; from += WRITTEN_AT_ONCE) {
      const some = calls.slice(from, from + WRITTEN_AT_ONCE)
      await store.write(some.map((call, index) => ({ number: from + index + 1, call })))
    }
    await store.close()
  }
}

function listenerOf(directory: string, tell: (problem: string, error: unknown) => void): StoreListener {
  return {
    damaged: (line) => addAside(directory, line, FILE_MODE).catch(() => false),
    unknown: () => tell('the outbox holds records that this version cannot read: they are left', undefined),
    missing: (calls) => tell(`${calls} calls are missing from a store`, undefined),
  }
}

/** The call in a line of what was set aside, made now; its parameters are taken as they are. */
function callIn(line: string, keyOf: string | undefined): StoredCall | undefined {
  const parsed = parsedRecord(line)
  const at = line.indexOf(PARAMS)
  if (!parsed || at < 0 || !isRecord(parsed.params)) return undefined
  const type = CALL_TYPES.find((known) => known === parsed.type)
  const { messageId } = parsed
  if (type === undefined || typeof messageId !== 'string') return undefined
  const text = line.slice(at + PARAMS.length, -1)
  return { type, messageId, madeAt: wallTime(), text, writeKeyHash: hashIn(parsed) ?? keyOf }
}

/** In a text of JSON quotes are escaped: what is before it holds no other such place. */
const PARAMS = ',"params":'

function keyIn(line: string): string | undefined {
  const parsed = parsedRecord(line)
  return parsed && hashIn(parsed)
}
