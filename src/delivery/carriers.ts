import { memberOf } from '../support/member-of.js'
import { buildBatchBody, splitBatchBody } from './batch-body.js'
import { type ClientCall, type ClientCalls, isContext, type SdkContext } from './client-calls.js'
import { Cancelled, ClientClosed } from './failure.js'
import type { SdkTexts } from './sdk-texts.js'

/** Calls that the SDK is given as one. */
export interface Carrier {
  readonly number: number
  /** The text of each, as the SDK writes it. */
  readonly texts: readonly string[]
  readonly calls: readonly ClientCall[]
}

/** What the SDK has made a batch of: carriers, and the text of its other calls between them. */
export type Carried = Carrier | string

const ONLY_NUMBERS = /^\d+(,\d+)*$/

/**
 * Whole batches on their way through the SDK, each as a single call. Its event writes itself as a number, and the transport
 * puts the texts in the number's place: each call is written once, where the SDK would write it to know its size and again
 * to send it.
 *
 * Nobody sees such a call: there is none while the application has a plugin or a listener, and what the client emits about
 * one reaches no listener that came later.
 */
export class Carriers {
  readonly #calls: ClientCalls
  readonly #texts: SdkTexts
  readonly #live = new Map<number, Carrier>()
  readonly #ofContext = new Map<unknown, Carrier>()
  #made = 0
  #expected: Carrier | undefined
  /** Tells why a call was stopped before a request carried it. */
  onStopped: ((call: ClientCall, reason: unknown) => void) | undefined

  constructor(calls: ClientCalls, texts: SdkTexts) {
    this.#calls = calls
    this.#texts = texts
  }

  /**
   * Gives calls to the SDK as one.
   *
   * @param make - Makes a call with the given messageId on the client.
   */
  carry(messageIds: readonly string[], texts: readonly string[], make: (messageId: string) => void): void {
    const calls = messageIds.map((messageId) => this.#calls.begin(messageId, undefined, false))
    const number = ++this.#made
    const carrier: Carrier = { number, texts, calls }
    this.#live.set(number, carrier)
    this.#expected = carrier
    try {
      make(`batch-${number}`)
    } finally {
      if (this.#expected) this.#refused(carrier)
    }
  }

  /**
   * The client emits something.
   *
   * @returns Whether it is about a carrier, of which listeners hear nothing.
   */
  isHidden(event: string, told: unknown): boolean {
    if (this.#live.size === 0) return false
    if (event === 'dispatch_start' && this.#expected && isContext(told)) {
      this.#begin(this.#expected, told)
      return true
    }
    const isError = event === 'error'
    const context = isError ? memberOf(told, 'ctx') : told
    const carrier = this.#ofContext.get(context)
    if (!carrier) return false
    this.#ofContext.delete(context)
    this.#live.delete(carrier.number)
    this.#stop(carrier, isError ? memberOf(told, 'reason') : undefined)
    return true
  }

  /** What stands in a batch. */
  unpack(batch: string): readonly Carried[] {
    this.#texts.compare((messageId) => this.#calls.eventOf(messageId))
    if (this.#live.size === 0) return [batch]
    if (ONLY_NUMBERS.test(batch)) {
      return batch.split(',').flatMap((number) => this.#live.get(Number(number)) ?? [])
    }
    const carried: Carried[] = []
    let others: string[] = []
    const close = () => {
      if (others.length > 0) carried.push(others.join(','))
      others = []
    }
    const parsed: unknown = JSON.parse(`[${batch}]`)
    for (const each of Array.isArray(parsed) ? parsed : []) {
      const carrier = typeof each === 'number' ? this.#live.get(each) : undefined
      if (!carrier) {
        others.push(JSON.stringify(each))
        continue
      }
      close()
      carried.push(carrier)
    }
    close()
    return carried
  }

  /** What the client tells of a request, with the calls that it carries. */
  readonly shown = (told: unknown): unknown => {
    const body = memberOf(told, 'body')
    const split = this.#live.size > 0 && typeof body === 'string' ? splitBatchBody(body) : undefined
    if (!split || typeof told !== 'object') return told
    const texts = this.unpack(split.calls).map((each) =>
      typeof each === 'string' ? each : each.texts.join(','),
    )
    return { ...told, body: buildBatchBody(texts.join(','), split) }
  }

  /** The client has not begun a call: the application has closed it, or replaced a method. */
  #refused(carrier: Carrier): void {
    this.#expected = undefined
    this.#live.delete(carrier.number)
    this.#stop(carrier, new ClientClosed())
  }

  #begin(carrier: Carrier, context: SdkContext): void {
    this.#expected = undefined
    this.#ofContext.set(context, carrier)
    Object.assign(context.event, { toJSON: () => carrier.number })
  }

  /** Calls that no request has carried when the SDK is done with them never will be. */
  #stop({ calls }: Carrier, reason: unknown): void {
    for (const call of calls) {
      if (call.isSent || !this.#calls.holds(call)) continue
      this.onStopped?.(call, reason ?? new Cancelled('the client has sent no request with it'))
    }
  }
}
