import { createHmac } from 'node:crypto'
import { type Identity, identityOf } from '../model/identity.js'
import type { PersonFact } from '../model/person-fact.js'
import type { Remembered, SegmentCall } from '../model/segment-call.js'
import { personOf } from './deduplication.js'

/** Characters of an HMAC: 128 bits where people must not be taken for each other, 66 where few are compared. */
const LONG = 22
const SHORT = 11

/** Says of calls what a shared memory may know of them: HMACs with the write key, by which nobody without it finds anybody. */
export class PersonFacts {
  readonly #writeKey: string

  constructor(writeKey: string) {
    this.#writeKey = writeKey
  }

  /** The HMAC of a person, by which everything of them is found. */
  personOf(identity: Identity): string {
    return this.#mac('person', personOf(identity), LONG)
  }

  /**
   * The fact of an `identify()` or a `group()`; `undefined` for any other call.
   *
   * @param remembered - Its entry in the local memory; without one its traits are not known.
   */
  of(call: SegmentCall, remembered?: Remembered): PersonFact | undefined {
    if (call.type !== 'identify' && call.type !== 'group') return undefined
    const { userId, anonymousId, messageId = '' } = call.params
    return {
      person: this.personOf(identityOf(userId, anonymousId)),
      about: call.type === 'identify' ? 'identify' : this.#mac('group', call.params.groupId, LONG),
      traits: remembered ? this.#mac('traits', remembered.entry.traits, LONG) : '',
      device:
        call.type === 'group' || anonymousId === undefined
          ? undefined
          : this.#mac('device', anonymousId, SHORT),
      call: this.#mac('call', messageId, SHORT),
    }
  }

  #mac(kind: string, text: string, characters: number): string {
    return createHmac('sha256', this.#writeKey)
      .update(`${kind} ${text}`)
      .digest('base64url')
      .slice(0, characters)
  }
}
