import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { isTaken, probeLock } from '../../delivery/outbox/engine.js'
import { readAside, readStores } from '../../delivery/outbox/inspection.js'
import type { Erasure } from '../../delivery/outbox/outbox.js'
import { OwnedDirectory } from '../../delivery/outbox/owned-directory.js'
import { InUseError } from '../command-error.js'
import type { ChosenKeys } from './keys.js'
import {
  countAside,
  type Done,
  type Look,
  lineOf,
  type OutboxTarget,
  type Part,
  type Retried,
} from './target.js'

/** An outbox in a directory. */
export class DirectoryTarget implements OutboxTarget {
  readonly #directory: string
  readonly #keys: ChosenKeys

  constructor(directory: string, keys: ChosenKeys) {
    this.#directory = directory
    this.#keys = keys
  }

  async look(): Promise<Look> {
    const parts: Part[] = []
    let held = 0
    for (const { name, calls } of await readStores(this.#directory)) {
      const isInUse = await this.#isInUse(name)
      if (isInUse) held += calls.length
      parts.push({
        name,
        calls: calls.length,
        bytes: calls.reduce((size, { text }) => size + Buffer.byteLength(text), 0),
        oldestAt: calls[0]?.madeAt,
        writeKeyHashes: [...new Set(calls.map(({ writeKeyHash }) => writeKeyHash ?? 'unknown'))],
        notes: isInUse ? ['a process has it in use'] : [],
      })
    }
    const aside = new Map<string, number>()
    for (const { reason, detail } of await readAside(this.#directory)) countAside(aside, reason, detail)
    return { partsAre: 'store', parts, held, aside }
  }

  async *lines(): AsyncGenerator<string> {
    for (const { calls } of await readStores(this.#directory)) {
      for (const { type, messageId, madeAt, writeKeyHash, text } of calls)
        yield lineOf({ state: 'waiting', madeAt: new Date(madeAt), writeKeyHash, type, messageId }, text)
    }
    for (const { line } of await readAside(this.#directory)) yield `{"state":"aside",${line.slice(1)}`
  }

  retry(): Promise<Retried> {
    return this.#owning((owned) => owned.retry((hash) => this.#keys.isChosen(hash), this.#keys.onlyHash))
  }

  async erase(whose: Erasure): Promise<Done & { readonly people: undefined }> {
    const { parts } = await this.look()
    this.#keys.assertOnePerson(
      new Set(parts.flatMap(({ writeKeyHashes }) => writeKeyHashes).filter((hash) => hash !== 'unknown')),
    )
    const done = await this.#owning((owned) => owned.erase(whose, (hash) => this.#keys.isChosen(hash)))
    return { ...done, held: 0, people: undefined }
  }

  async purge(): Promise<Done> {
    const isAll = !this.#keys.areGiven
    const done = await this.#owning((owned) => owned.purge((hash) => this.#keys.isChosen(hash), isAll))
    return { ...done, held: 0 }
  }

  async close(): Promise<void> {}

  async #owning<T>(work: (owned: OwnedDirectory) => Promise<T>): Promise<T> {
    await access(this.#directory)
    const owned = await OwnedDirectory.open(this.#directory, (problem) =>
      console.error(`reqtrack: ${problem}`),
    )
    if (!owned) {
      throw new InUseError(
        'a process has this outbox in use, and nothing was changed: end it first. While it runs the outbox can only be looked at',
      )
    }
    try {
      return await work(owned)
    } finally {
      await owned.close()
    }
  }

  async #isInUse(name: string): Promise<boolean> {
    try {
      await probeLock(join(this.#directory, name))
      return false
    } catch (error) {
      return isTaken(error)
    }
  }
}
