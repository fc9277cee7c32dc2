import type { CallType, SegmentCall } from '../model/segment-call.js'
import { sdkEventOf } from './sdk-format.js'
import { segmentSdk } from './segment-sdk/index.js'

/** What a watched call should become. */
interface Expected {
  readonly type: CallType
  readonly text: string
}

/**
 * Writes calls as the SDK writes them, byte for byte. It does so for a type only when the SDK itself has written a call of it
 * the same way: another version may write otherwise, and then goes on writing by itself.
 */
export class SdkTexts {
  /** Types of which the SDK has written a call: whether as it is written here. */
  readonly #seen = new Map<CallType, boolean>()
  readonly #expected = new Map<string, Expected>()
  #version: string | undefined

  /** The text of a call; `undefined` where the SDK has to write it. */
  textOf(call: SegmentCall): string | undefined {
    if (this.#seen.get(call.type) !== true) return undefined
    const event = sdkEventOf(call, this.#sdkVersion)
    return event && JSON.stringify(event)
  }

  /** The SDK is about to get a call: the first of its type tells how it writes. */
  watch(call: SegmentCall): void {
    const { type, params } = call
    if (this.#seen.has(type) || params.messageId === undefined) return
    const copy = params.context && { context: { ...params.context } }
    const event = sdkEventOf({ ...call, params: { ...params, ...copy } } as SegmentCall, this.#sdkVersion)
    if (!event) return
    for (const other of this.#expected.values()) if (other.type === type) return
    this.#expected.set(params.messageId, { type, text: JSON.stringify(event) })
  }

  /**
   * The SDK has made a batch.
   *
   * @param eventOf - The SDK's event of a messageId, if it still holds it.
   */
  compare(eventOf: (messageId: string) => object | undefined): void {
    for (const [messageId, { type, text }] of this.#expected) {
      const event = eventOf(messageId)
      if (event) this.#seen.set(type, JSON.stringify(event) === text)
    }
    this.#expected.clear()
  }

  /** The SDK's own version, which it writes into every call. */
  get #sdkVersion(): string {
    this.#version ??= String(Reflect.get(segmentSdk().Analytics.prototype, 'VERSION'))
    return this.#version
  }
}
