import type { Erasure } from '../delivery/outbox/outbox.js'
import { writeKeyHashOf } from '../delivery/write-key-hash.js'
import { PersonFacts } from '../destination/person-facts.js'
import { type Connection, connectionOf, nodesOf, type RedisClient } from './client.js'
import { textOf } from './entry.js'
import { PeopleKeys } from './memory.js'
import { CallStream } from './stream.js'

/** The name under which a command writes. */
const CONSUMER = 'npx-reqtrack-outbox'
const SCANNED_AT_ONCE = '1000'

/** What is kept in a Redis under a prefix: the calls of some write keys, and the people of them. */
export class Kept {
  readonly #client: RedisClient
  readonly #connection: Connection
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#connection = connectionOf(client)
    this.#prefix = prefix
  }

  /** The hashes of the write keys of which there are calls. */
  async writeKeyHashes(): Promise<string[]> {
    const hashes = new Set<string>()
    for (const node of await nodesOf(this.#client)) {
      for await (const key of this.#scan(node)) {
        const hash = /^\{([\w-]+)\}:(?:calls|aside)$/.exec(key.slice(this.#prefix.length))?.[1]
        if (hash !== undefined) hashes.add(hash)
      }
    }
    return [...hashes].sort()
  }

  /** The calls of a write key. */
  callsOf(writeKeyHash: string): CallStream {
    return new CallStream(this.#connection, this.#prefix, writeKeyHash, CONSUMER)
  }

  /** Removes what the memory of people has of a person, and tells how many facts that were. */
  async forget(writeKey: string, { userId, anonymousId }: Erasure): Promise<number> {
    const facts = new PersonFacts(writeKey)
    const keys = new PeopleKeys(this.#prefix, writeKeyHashOf(writeKey) ?? '')
    let count = 0
    for (const identity of [
      userId !== undefined && { userId },
      anonymousId !== undefined && { anonymousId },
    ]) {
      if (!identity) continue
      const key = keys.of(facts.personOf(identity))
      const replies = await this.#connection.transaction(
        [
          ['HLEN', key],
          ['DEL', key],
        ],
        key,
      )
      for (const reply of replies) if (reply instanceof Error) throw reply
      count += Number(replies[0])
    }
    return count
  }

  async *#scan(node: Connection): AsyncGenerator<string> {
    const pattern = `${this.#prefix.replace(/[*?[\]\\]/g, '\\$&')}{*}:*`
    for (let cursor = '0'; ; ) {
      const reply = await node.send([
        'SCAN',
        cursor,
        'MATCH',
        pattern,
        'COUNT',
        SCANNED_AT_ONCE,
        'TYPE',
        'stream',
      ])
      if (!Array.isArray(reply)) return
      for (const key of Array.isArray(reply[1]) ? reply[1] : []) yield textOf(key)
      cursor = textOf(reply[0])
      if (cursor === '0') return
    }
  }
}
