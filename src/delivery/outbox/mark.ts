import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_MODE, MARK_FILE } from './directory.js'
import { FORMAT, sumOf } from './record.js'

/** What the mark of a store says. */
export interface MarkContent {
  /** The version of the store's format. */
  readonly format: number
  /** How many calls the store holds at least. */
  readonly calls: number
  /** The hash of the write key that they were made for; empty if nobody said. */
  readonly writeKeyHash: string
}

const LINE = /^reqtrack (\d+) (\d+) ([\w-]*) ([\w-]{16})$/

/** Reads the mark of a store. A store of the first format has none. */
export async function readMark(store: string): Promise<MarkContent | undefined> {
  const text = await readFile(join(store, MARK_FILE), 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [, format, calls, writeKeyHash = '', sum] = LINE.exec(line) ?? []
    if (sum === undefined || sum !== sumOf(`${format} ${calls} ${writeKeyHash}`)) continue
    return { format: Number(format), calls: Number(calls), writeKeyHash }
  }
  return undefined
}

/**
 * The file beside the engine's own that says what a store is and how many calls it holds: what the engine has lost cannot be
 * found out otherwise. It never says too much: calls are added after they were written, and taken off before they are removed.
 */
export class Mark {
  readonly #store: string
  #calls: number
  #writeKeyHash: string
  #file: FileHandle | undefined
  #written: Promise<unknown> = Promise.resolve()

  /** @param content - What it says so far, for the store of an ended process. */
  constructor(store: string, content?: MarkContent) {
    this.#store = store
    this.#calls = content?.calls ?? 0
    this.#writeKeyHash = content?.writeKeyHash ?? ''
  }

  /** How many calls the store holds at least. */
  get calls(): number {
    return this.#calls
  }

  /** Counts calls that were written. */
  added(count: number, writeKeyHash = this.#writeKeyHash): Promise<unknown> {
    this.#writeKeyHash = writeKeyHash
    return this.#count(this.#calls + count)
  }

  /** Counts calls that are removed, or lost. */
  removed(count: number): Promise<unknown> {
    return this.#count(Math.max(0, this.#calls - count))
  }

  /** Closes its file. */
  async close(): Promise<void> {
    await this.#written
    await this.#file?.close().catch(() => {})
    this.#file = undefined
  }

  #count(calls: number): Promise<unknown> {
    this.#calls = calls
    this.#written = this.#written.then(() => this.#write()).catch(() => {})
    return this.#written
  }

  async #write(): Promise<void> {
    this.#file ??= await open(join(this.#store, MARK_FILE), 'w', FILE_MODE)
    const content = `${FORMAT} ${String(this.#calls).padStart(15, '0')} ${this.#writeKeyHash}`
    const line = `reqtrack ${content} ${sumOf(content)}\n`
    // Twice: half a file, and one with a flipped bit, still say it.
    await this.#file.write(line + line, 0)
  }
}
