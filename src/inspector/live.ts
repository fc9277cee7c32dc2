import type { ServerResponse } from 'node:http'
import type { TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracking.js'
import { describeRequest, summaryOf } from './describe.js'
import { RequestJournal, type RequestRecord } from './journal.js'
import { Streams } from './streams.js'
import type { RequestView, Totals, Update } from './view.js'

/** Long enough to gather what happens at once, short enough to look immediate. */
const GATHER_MS = 150
/** Minutes pass although nothing happens, and proxies close what is silent. */
const HEARTBEAT_MS = 15_000

/** What the inspector knows, and the pages that are told. */
export class Live {
  readonly #tracking: Tracking
  readonly #capacity: number
  readonly #own = new WeakSet<object>()
  readonly #streams = new Streams()
  readonly #journal: RequestJournal
  readonly #changed = new Set<RequestRecord>()
  #gathering: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined

  /** Begins to watch. */
  constructor(tracking: Tracking, { watch }: TrackingInternals, capacity: number) {
    this.#tracking = tracking
    this.#capacity = capacity
    this.#journal = new RequestJournal(
      capacity,
      (request) => this.#changes(request),
      (native) => typeof native === 'object' && native !== null && this.#own.has(native),
    )
    watch((step) => {
      this.#journal.take(step)
      if (step.type === 'closing') this.#close()
      else this.#gather()
    })
  }

  /** Leaves a request out of what is shown: it is for the inspector itself. */
  omit(native: object): void {
    this.#own.add(native)
  }

  /** Everything, as a page begins with it. */
  everything(): Update {
    return {
      requests: this.#journal.requests().map(summaryOf),
      totals: this.totals(),
      capacity: this.#capacity,
    }
  }

  /** One request, as it is shown. */
  request(number: number): RequestView | undefined {
    const request = this.#journal.request(number)
    return request && describeRequest(request, this.#journal)
  }

  /** The books. */
  totals(): Totals {
    const { all, unsuccessful } = this.#journal.sent
    return {
      ...this.#tracking.stats(),
      requests: { sent: all, unsuccessful },
      health: this.#tracking.health().state,
      minutes: this.#journal.minutes.recent(),
    }
  }

  /** Tells a page of everything, and of all that comes. */
  stream(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    this.#streams.begin(response, headers, JSON.stringify(this.everything()))
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
  }

  #changes(request: RequestRecord): void {
    if (!this.#streams.isEmpty) this.#changed.add(request)
  }

  #gather(): void {
    if (this.#streams.isEmpty) return
    this.#gathering ??= setTimeout(() => this.#tell(), GATHER_MS).unref()
  }

  #tell(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    const update: Update = {
      requests: [...this.#changed].map(summaryOf),
      totals: this.totals(),
      capacity: this.#capacity,
    }
    this.#changed.clear()
    this.#streams.send(JSON.stringify(update))
  }

  #beat(): void {
    if (!this.#streams.isEmpty) return this.#tell()
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #close(): void {
    clearTimeout(this.#gathering)
    clearInterval(this.#heartbeat)
    this.#streams.close()
  }
}
