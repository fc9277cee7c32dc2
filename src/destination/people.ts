import type { Logger } from '@walkeros/core'
import { messageOf } from '../delivery/failure.js'
import { writeKeyHashOf } from '../delivery/write-key-hash.js'
import { type Identity, identityOf } from '../model/identity.js'
import type { Remembered, SegmentCall } from '../model/segment-call.js'
import { Burst } from '../support/log.js'
import type { Maybe } from '../support/maybe.js'
import type { MadeCalls } from './calls.js'
import { Deduplication } from './deduplication.js'
import type { PeopleAnswer, PeopleMemory } from './people-memory.js'
import { type MemoryListener, PeopleTasks } from './people-tasks.js'
import { PersonFacts } from './person-facts.js'

/** An hour. */
const REFRESH_AFTER_MS = 60 * 60 * 1_000

/** The memory of a fleet, as this process uses it. */
interface Shared {
  readonly facts: PersonFacts
  readonly tasks: PeopleTasks
}

/** Who was identified and grouped: what this process remembers, and, where it is one of a fleet, what others do. */
export class People {
  /** What this process itself remembers. */
  readonly local: Deduplication
  readonly #shared: Shared | undefined
  /** What is being asked, by the ids of the people concerned: their later calls wait for it. */
  readonly #asked = new Map<string, Promise<unknown>>()

  constructor(shared?: Shared, refreshAfter?: number) {
    this.#shared = shared
    this.local = new Deduplication(refreshAfter)
  }

  /** With the memory of a fleet: asked only of people whom this process does not know. */
  static of(memory: PeopleMemory, writeKey: string, logger: Logger.Instance): People {
    let works = true
    const failures = new Burst((message, context) => logger.error(message, context))
    const listener: MemoryListener = {
      failed(error) {
        works = false
        failures.say('the shared memory of people cannot be asked: people may be identified once more', {
          error: messageOf(error),
        })
      },
      works() {
        if (!works) logger.info('the shared memory of people can be asked again')
        works = true
      },
    }
    const opened = memory.open(writeKeyHashOf(writeKey) ?? '')
    const tasks = new PeopleTasks(opened, listener, memory.answerWithin)
    return new People({ facts: new PersonFacts(writeKey), tasks }, memory.refreshAfter ?? REFRESH_AFTER_MS)
  }

  /**
   * Leaves out of an event's calls what Segment has, or gets, from another process.
   *
   * @param always - Whether they are made in any case, as by `tracker.identify()`.
   */
  settle(made: MadeCalls | undefined, always: boolean): Maybe<MadeCalls | undefined> {
    const first = made?.calls[0]
    if (!this.#shared || !first) return made
    const asks = made.calls.some(({ remembered }) => remembered !== undefined)
    if (!asks && this.#asked.size === 0) return made
    return this.#settle(this.#shared, made, idsOf(first), always)
  }

  /** Forgets the entry of a call that is not made after all, or failed for good, unless a newer call has replaced it. */
  forget(remembered: Remembered | undefined): void {
    this.local.forget(remembered)
    if (remembered?.fact) this.#shared?.tasks.tell(remembered.fact, 'forget')
  }

  /** Forgets what a call has said that failed for good, of this process or of another one. */
  failed(call: SegmentCall): void {
    if (call.remembered) return this.forget(call.remembered)
    if (call.type !== 'identify' && call.type !== 'group') return
    const { userId, anonymousId } = call.params
    const groupId = call.type === 'group' ? call.params.groupId : undefined
    this.local.forgetCall(identityOf(userId, anonymousId), groupId)
    const fact = this.#shared?.facts.of(call)
    if (fact) this.#shared?.tasks.tell(fact, 'forget')
  }

  /** Segment has a call, or an outbox: the fleet remembers it from now on. */
  kept(remembered: Remembered): void {
    if (remembered.fact) this.#shared?.tasks.tell(remembered.fact, 'keep')
  }

  /** Resolves when the fleet's memory knows everything, or after so many milliseconds. */
  settled(timeoutMs: number): Promise<void> | undefined {
    return this.#shared?.tasks.settled(timeoutMs)
  }

  /** Tells the fleet's memory the rest. */
  close(timeoutMs: number): Promise<void> | undefined {
    return this.#shared?.tasks.close(timeoutMs)
  }

  /** What is asked at once is asked in one go. The calls of a person keep their order: later ones wait for earlier ones. */
  #settle(
    { facts, tasks }: Shared,
    made: MadeCalls,
    ids: readonly string[],
    always: boolean,
  ): Maybe<MadeCalls> {
    const before = ids.flatMap((id) => this.#asked.get(id) ?? [])
    const answers = made.calls.map((call) => {
      if (!call.remembered) return undefined
      call.remembered.fact = facts.of(call, call.remembered)
      return call.remembered.fact && tasks.claim(call.remembered.fact, always ? 'replace' : 'claim')
    })
    if (always && before.length === 0) return made
    const settled = this.#leaveOut(made, always ? [] : answers, before)
    for (const id of ids) this.#asked.set(id, settled)
    void settled.then(() => {
      for (const id of ids) if (this.#asked.get(id) === settled) this.#asked.delete(id)
    })
    return settled
  }

  async #leaveOut(
    { calls, deduplicated }: MadeCalls,
    asked: readonly (Promise<PeopleAnswer> | undefined)[],
    before: readonly Promise<unknown>[],
  ): Promise<MadeCalls> {
    const [answers] = await Promise.all([Promise.all(asked), Promise.all(before)])
    const left = calls.filter((call, index) => {
      const answer = answers[index]
      // Whether the other process succeeds is not known yet: the next event asks anew.
      if (answer === 'held') this.local.forget(call.remembered)
      return answer !== 'known' && answer !== 'held'
    })
    return { calls: left, deduplicated: deduplicated + calls.length - left.length }
  }
}

/** The people whom a call is about, as a user and as a visitor. */
function idsOf({ params: { userId, anonymousId } }: { readonly params: Identity }): string[] {
  const ids: string[] = []
  if (userId !== undefined) ids.push(`user:${userId}`)
  if (anonymousId !== undefined) ids.push(`anonymous:${anonymousId}`)
  return ids
}
