import { readFile } from 'node:fs/promises'
import { messageOf } from '../../delivery/failure.js'
import { clearInterval, setInterval } from '../../support/clock.js'
import { type NamedKey, writeKeysIn } from './write-keys.js'

/** Milliseconds between two looks whether the file has changed: an orchestrator changes a mounted secret without a word. */
const LOOK_INTERVAL_MS = 5_000

/** Whom a change of the file is told. */
export interface KeyFileListener {
  changed(keys: readonly NamedKey[]): void
  /** The file cannot be used as it is now; what it said before stands. */
  unusable(problem: string): void
}

/** Reads a file of write keys, and again when it changes. */
export class KeyFile {
  readonly #path: string
  readonly #listener: KeyFileListener
  #text: string | undefined
  /** What was last told of it. */
  #problem: string | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #onHangUp = () => void this.#look()

  constructor(path: string, listener: KeyFileListener) {
    this.#path = path
    this.#listener = listener
  }

  /**
   * Reads it for the first time.
   *
   * @throws If it cannot be read, or is malformed.
   */
  async read(): Promise<readonly NamedKey[]> {
    this.#text = await this.#content()
    return this.#keysIn(this.#text)
  }

  /** Looks for changes from now on: every five seconds, and on SIGHUP. */
  watch(): void {
    this.#timer = setInterval(this.#onHangUp, LOOK_INTERVAL_MS)
    this.#timer.unref()
    process.on('SIGHUP', this.#onHangUp)
  }

  /** Ends that. */
  stop(): void {
    clearInterval(this.#timer)
    process.off('SIGHUP', this.#onHangUp)
  }

  async #look(): Promise<void> {
    let problem: string
    try {
      const text = await this.#content()
      if (text === this.#text) return
      this.#text = text
      return this.#listener.changed(this.#keysIn(text))
    } catch (error) {
      problem = messageOf(error)
    }
    // One that stays unreadable is told once.
    if (this.#problem !== problem) this.#listener.unusable(problem)
    this.#problem = problem
  }

  async #content(): Promise<string> {
    try {
      return await readFile(this.#path, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
      throw new Error(`the file of write keys ${this.#path} cannot be read${code}`)
    }
  }

  #keysIn(text: string): readonly NamedKey[] {
    try {
      const keys = writeKeysIn(text)
      this.#problem = undefined
      return keys
    } catch (error) {
      throw new Error(`the file of write keys ${this.#path} cannot be used: ${messageOf(error)}`)
    }
  }
}
