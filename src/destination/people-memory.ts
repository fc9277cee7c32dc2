import type { PersonFact } from '../model/person-fact.js'

/*
 * The memory of people that the processes of a fleet share: the contract between the destination and an engine, such as Redis
 * or a database. It is asked after the response, and it may always be away: a call too many is then made rather than one too few.
 */

/**
 * What to do with a fact.
 *
 * - `claim`: the call is made unless Segment has the same, or another process is about to tell it. A claim ends by itself
 *   after a minute, so that a process that dies silences nobody.
 * - `replace`: the call is made in any case: a claim that takes the place of any other.
 * - `keep`: Segment has the call, or an outbox has it. What a newer call has said of the person stands.
 * - `forget`: the call has failed. Whatever a newer call has said of the person stands.
 */
export type PeopleStep = 'claim' | 'replace' | 'keep' | 'forget'

/**
 * What a step has come to: Segment has the same (`known`), another process is about to tell it (`held`), this process may
 * (`claimed`), or it is `done`. An `Error` where it can never be done, `undefined` where it can be tried again.
 */
export type PeopleAnswer = 'known' | 'held' | 'claimed' | 'done' | Error | undefined

/** A step and its fact. */
export interface PeopleTask {
  readonly step: PeopleStep
  readonly fact: PersonFact
}

/** The memory of the people of one write key. */
export interface OpenPeopleMemory {
  /**
   * Does steps in their order, each at once. Those of one person are never mixed with another process's.
   *
   * @returns An answer for each. Rejects where none could be done, and may be tried again.
   */
  take(tasks: readonly PeopleTask[]): Promise<readonly PeopleAnswer[]>
}

/**
 * Remembers who was identified and grouped, for all processes of a fleet. `redisMemory()` of `reqtrack/redis` makes one.
 *
 * @example
 * const tracking = createTracking({ settings, memory: redisMemory({ client }) })
 */
export interface PeopleMemory {
  /**
   * Milliseconds after which a process asks again of somebody whom it knows itself, so that the memory hears who is still
   * there. Defaults to an hour.
   */
  readonly refreshAfter?: number
  /** Milliseconds that the calls of a person wait for an answer at most. Defaults to 50; more is for a memory that is far away. */
  readonly answerWithin?: number
  /**
   * Opens it for a tracking or a relay.
   *
   * @param writeKeyHash - People of another write key are others.
   */
  open(writeKeyHash: string): OpenPeopleMemory
}
