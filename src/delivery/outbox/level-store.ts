import { access } from 'node:fs/promises'
import type { ClassicLevel } from 'classic-level'
import type { CallType } from '../../model/segment-call.js'
import { markBroken, markDone, protect, removeStore } from './directory.js'
import type { CallStore, ReadCall, StoredCall } from './outbox.js'

const NUMBER_DIGITS = 15
/** The engine starts a new file about this often; the mode of each has to be set. */
const PROTECT_EVERY_BYTES = 1024 * 1024

/** The result for a line that cannot be read. */
const UNREADABLE = undefined

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

/** A LevelDB database with the calls of one process. */
export class LevelStore implements CallStore {
  readonly #db: ClassicLevel<string, string>
  readonly #directory: string
  #unprotected = 0

  private constructor(db: ClassicLevel<string, string>, directory: string) {
    this.#db = db
    this.#directory = directory
  }

  /**
   * Opens a store and locks it for this process.
   *
   * @throws If another process owns it, it is damaged, or the engine is not installed.
   */
  static async open(directory: string): Promise<LevelStore> {
    const engine = await loadEngine()
    const held = heldStores()
    if (held.has(directory))
      throw Object.assign(new Error('this process has the store open'), { code: 'LEVEL_LOCKED' })
    held.add(directory)
    try {
      const db = new engine.ClassicLevel<string, string>(directory, {
        keyEncoding: 'utf8',
        valueEncoding: 'utf8',
      })
      await db.open()
      await protect(directory)
      return new LevelStore(db, directory)
    } catch (error) {
      held.delete(directory)
      throw error
    }
  }

  /** Repairs a damaged store as far as possible. */
  static async repair(directory: string): Promise<void> {
    const engine = await loadEngine()
    await engine.ClassicLevel.repair(directory)
  }

  async write(calls: readonly { readonly number: number; readonly call: StoredCall }[]): Promise<void> {
    // Before the write: a failure must leave nothing written.
    if (this.#unprotected >= PROTECT_EVERY_BYTES) {
      await protect(this.#directory)
      this.#unprotected = 0
    }
    const batch = this.#db.batch()
    for (const { number, call } of calls) {
      const line = lineOf(call)
      this.#unprotected += line.length
      batch.put(keyOf(number), line)
    }
    await batch.write()
  }

  async remove(numbers: readonly number[]): Promise<void> {
    const batch = this.#db.batch()
    for (const number of numbers) batch.del(keyOf(number))
    await batch.write()
  }

  async read(after: number, most: number): Promise<ReadCall[]> {
    const found: ReadCall[] = []
    const unreadable: string[] = []
    for await (const [key, line] of this.#db.iterator({ gt: keyOf(after) })) {
      const number = Number(key)
      const call = callOf(line)
      if (!call) unreadable.push(key)
      else {
        const place = { store: this, number, size: call.text.length }
        if (found.push({ ...call, number, place }) === most) break
      }
    }
    for (const key of unreadable) await this.#db.del(key)
    return found
  }

  async isThere(): Promise<boolean> {
    return access(this.#directory).then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    try {
      const [left] = await this.#db.keys({ limit: 1 }).all()
      if (left === undefined) return await this.#remove()
    } catch (error) {
      await this.#letGo()
      if (!isDamaged(error)) throw error
      await markBroken(this.#directory)
      throw new Error('the store is damaged: its unreadable rest is kept as *.broken', { cause: error })
    }
    await this.#letGo()
    await protect(this.#directory)
  }

  async #remove(): Promise<void> {
    const retired = await markDone(this.#directory)
    await this.#letGo()
    await removeStore(retired)
  }

  async #letGo(): Promise<void> {
    await this.#db.close()
    heldStores().delete(this.#directory)
  }
}

/** Whether an error of the engine means damaged files, rather than files that are unusable at the moment. */
export function isDamaged(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (!('code' in each)) continue
    // The engine reads beyond the end of a truncated table and does not call that corruption.
    if (each.code === 'LEVEL_CORRUPTION' || /Invalid argument/.test(each.message)) return true
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

function keyOf(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0')
}

/** Appends the parameters unchanged, since they are JSON already. */
function lineOf({ type, messageId, madeAt, text }: StoredCall): string {
  return `${JSON.stringify([type, messageId, madeAt])}\n${text}`
}

const TYPES: ReadonlySet<unknown> = new Set<CallType>([
  'track',
  'identify',
  'group',
  'page',
  'screen',
  'alias',
])

function callOf(line: string): StoredCall | undefined {
  const end = line.indexOf('\n')
  const text = line.slice(end + 1)
  try {
    const head: unknown = JSON.parse(line.slice(0, end))
    if (!Array.isArray(head)) return UNREADABLE
    const [type, messageId, madeAt]: unknown[] = head
    if (!isType(type) || typeof messageId !== 'string' || typeof madeAt !== 'number') return UNREADABLE
    JSON.parse(text)
    return { type, messageId, madeAt, text }
  } catch {
    return UNREADABLE
  }
}

function isType(type: unknown): type is CallType {
  return TYPES.has(type)
}
