import type { WalkerOS } from '@walkeros/core'
import type { SegmentCall } from '../model/segment-call.js'
import { nextTurn } from '../support/clock.js'
import { all, inTime, isPromise, type Maybe } from '../support/maybe.js'
import type { FunctionGuard } from './mapping-value.js'
import { copyOfCall, readReturnedCall } from './returned-call.js'

/**
 * Sees every call last of all, and may change or withhold it. Type, messageId and `context.consent` stay as they are.
 *
 * @param call - A copy of the call: change it and return it, or return another one.
 * @param event - A copy of the walkerOS event that the call was made of.
 * @returns The call, or `null` to withhold it. A function that throws, rejects, takes over two seconds or returns anything
 * else withholds the call, too, and is reported.
 *
 * @example
 * const beforeSend: BeforeSend = (call) => {
 *   if (call.type === 'track') delete call.params.properties.card
 *   return call
 * }
 */
export type BeforeSend = (
  call: SegmentCall,
  event: WalkerOS.Event,
) => SegmentCall | null | Promise<SegmentCall | null>

/** Takes each call through the application's `beforeSend` functions, and keeps the order of a person's calls. */
export class CallFilter {
  readonly #functions: readonly BeforeSend[]
  readonly #guard: FunctionGuard
  /** By id, when the calls of a person that are still asked about will have gone on. */
  readonly #pending = new Map<string, Promise<void>>()

  /** @param guard - Limits an asynchronous function, and reports one that failed. */
  constructor(functions: readonly BeforeSend[], guard: FunctionGuard) {
    this.#functions = functions
    this.#guard = guard
  }

  /**
   * Asks about the calls of an event, all at once.
   *
   * @returns Each call as it goes on, `undefined` if it is withheld. A promise if a function is asynchronous, or if earlier
   * calls of the same person wait for one.
   */
  filter(calls: readonly SegmentCall[], event: WalkerOS.Event): Maybe<(SegmentCall | undefined)[]> {
    const answers = all(calls.map((call) => this.#ask(call, event)))
    if (this.#pending.size === 0 && !isPromise(answers)) return answers
    const ids = idsOf(calls)
    const earlier = ids.flatMap((id) => this.#pending.get(id) ?? [])
    return earlier.length > 0 || isPromise(answers) ? this.#inTurn(answers, ids, earlier) : answers
  }

  #inTurn(
    answers: Maybe<(SegmentCall | undefined)[]>,
    ids: readonly string[],
    earlier: readonly Promise<void>[],
  ): Promise<(SegmentCall | undefined)[]> {
    const inOrder = Promise.all(earlier).then(() => answers)
    // Calls are handed over in microtasks. Those that wait for them follow in the next turn.
    const gone = inOrder.then(() => nextTurn())
    for (const id of ids) this.#pending.set(id, gone)
    void gone.then(() => this.#forget(ids, gone))
    return inOrder
  }

  #forget(ids: readonly string[], gone: Promise<void>): void {
    for (const id of ids) if (this.#pending.get(id) === gone) this.#pending.delete(id)
  }

  /**
   * Asks the functions one after the other. Never throws or rejects.
   *
   * @param from - The first function to ask.
   * @param changed - The call as the functions before it returned it.
   */
  #ask(
    call: SegmentCall,
    event: WalkerOS.Event,
    from = 0,
    changed?: SegmentCall,
  ): Maybe<SegmentCall | undefined> {
    try {
      let current = changed ?? copyOfCall(call)
      for (let index = from; index < this.#functions.length; index++) {
        const answer = this.#functions[index]?.(current, structuredClone(event))
        if (isPromise(answer)) return this.#askRest(call, event, index + 1, answer)
        if (answer === null) return undefined
        current = this.#read(answer, call, index + 1)
      }
      return current
    } catch (error) {
      return this.#withhold(call, event, error)
    }
  }

  async #askRest(
    call: SegmentCall,
    event: WalkerOS.Event,
    from: number,
    promised: Promise<unknown>,
  ): Promise<SegmentCall | undefined> {
    try {
      const answer = await inTime(promised, this.#guard.limitMs)
      return answer === null ? undefined : await this.#ask(call, event, from, this.#read(answer, call, from))
    } catch (error) {
      return this.#withhold(call, event, error)
    }
  }

  #read(answer: unknown, call: SegmentCall, next: number): SegmentCall {
    return readReturnedCall(answer, call, next === this.#functions.length)
  }

  #withhold(call: SegmentCall, event: WalkerOS.Event, error: unknown): undefined {
    this.#guard.failed(`beforeSend failed: a call (${call.type}) was withheld`, event.name, error)
  }
}

function idsOf(calls: readonly SegmentCall[]): string[] {
  const ids = new Set<string>()
  for (const { params } of calls) {
    if (params.userId !== undefined) ids.add(`user:${params.userId}`)
    if (params.anonymousId !== undefined) ids.add(`anonymous:${params.anonymousId}`)
  }
  return [...ids]
}
