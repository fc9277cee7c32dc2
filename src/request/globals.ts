import type { WalkerOS } from '@walkeros/core'
import type { Reader, TrackedRequest } from '../model/tracked-request.js'
import { isRecord, toPlain } from '../model/values.js'
import { after, type Maybe } from '../support/maybe.js'
import { allAnswers, type ReaderFault, readerName } from './chain.js'

/** Properties that hold for all events, such as release, environment and tenant; or a reader of them. */
export type Globals = WalkerOS.Properties | Reader<WalkerOS.Properties>

/** The globals of a request, as plain JSON. Each event takes a copy. */
export type ReadGlobals = Readonly<Record<string, unknown>>

/** Reads the globals of requests: the same for all where they are given, each request's own where they are read. */
export class GlobalsReader {
  readonly #readers: readonly Reader<WalkerOS.Properties>[]
  readonly #given: ReadGlobals | undefined
  readonly #fault: ReaderFault

  /** @param fault - Reports a reader that failed; the events of its request then have no globals. */
  constructor(globals: Globals | undefined, fault: ReaderFault) {
    this.#fault = fault
    this.#readers = typeof globals === 'function' ? [globals] : []
    this.#given =
      globals === undefined || typeof globals === 'function' ? undefined : this.#accept(globals, 'globals')
  }

  /** The globals that hold without a request. */
  get given(): ReadGlobals | undefined {
    return this.#given
  }

  /**
   * The globals of a request, or of a scope without one, which a reader knows nothing about; `undefined` where there are
   * none. An asynchronous reader has two seconds.
   */
  read(request: TrackedRequest | undefined): Maybe<ReadGlobals | undefined> {
    const [reader] = this.#readers
    return reader && request ? this.#ask(reader, request) : this.#given
  }

  #ask(reader: Reader<WalkerOS.Properties>, request: TrackedRequest): Maybe<ReadGlobals | undefined> {
    return after(allAnswers(this.#readers, request, this.#fault), ([answer]) =>
      answer === undefined ? undefined : this.#accept(answer.value, readerName(reader)),
    )
  }

  #accept(value: unknown, name: string): ReadGlobals | undefined {
    const { value: copied, tooLarge } = toPlain(value)
    if (isRecord(copied) && !tooLarge) return copied
    const given = tooLarge ? 'more than the 32 KB of a call' : `a ${typeof value}`
    this.#fault(name, new TypeError(`it gave ${given}: expected an object such as { release: '1.4.2' }`))
    return undefined
  }
}
