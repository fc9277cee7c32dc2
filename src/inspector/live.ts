import type { ServerResponse } from 'node:http'
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../support/clock.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { describeRequest, summaryOf } from './describe.js'
import { RequestJournal, type RequestRecord } from './journal.js'
import { Streams } from './streams.js'
import type { RequestView, Totals, Update } from './view.js'

/** Long enough to collect simultaneous changes into one update, short enough to look immediate. */
const UPDATE_DELAY_MS = 150
/** The charts move on although nothing happens, and proxies close silent connections. */
const HEARTBEAT_MS = 15_000

/** The outbox is asked at most once in this time: to count is a round trip to a Redis that others need. */
const OUTBOX_PAUSE_MS = 1_000

/** The inspector's journal, and the event streams that report it to open pages. */
export class Live {
  readonly #tracking: Tracking
  readonly #capacity: number
  readonly #excluded = new WeakSet<object>()
  readonly #streams = new Streams()
  readonly #journal: RequestJournal
  readonly #changed = new Set<RequestRecord>()
  #updateTimer: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  readonly #askOutbox: TrackingInternals['waiting']
  #outbox: Totals['outbox']
  #outboxTimer: NodeJS.Timeout | undefined

  /** Starts recording. */
  constructor(tracking: Tracking, { watch, hasPlan, waiting }: TrackingInternals, capacity: number) {
    this.#tracking = tracking
    this.#askOutbox = waiting
    this.#capacity = capacity
    this.#journal = new RequestJournal(
      hasPlan,
      capacity,
      (request) => this.#noteChange(request),
      (native) => typeof native === 'object' && native !== null && this.#excluded.has(native),
    )
    watch((step) => {
      this.#journal.record(step)
      if (step.type === 'closing') this.#close()
      else this.#scheduleUpdate()
    })
  }

  /** Excludes one of the inspector's own requests from the journal. */
  exclude(native: object): void {
    this.#excluded.add(native)
  }

  /** Everything kept: the first message of a stream. */
  snapshot(): Update {
    return {
      requests: this.#journal.requests().map(summaryOf),
      totals: this.totals(),
      capacity: this.#capacity,
    }
  }

  /** The details of one request. */
  request(number: number): RequestView | undefined {
    const request = this.#journal.request(number)
    return request && describeRequest(request, this.#journal)
  }

  /** The ledger, the delivery's health and the counts of each minute. */
  totals(): Totals {
    this.#outboxTimer ??= setTimeout(() => this.#lookIntoOutbox(), OUTBOX_PAUSE_MS).unref()
    const { all, unsuccessful } = this.#journal.sent
    const { events, calls } = this.#tracking.stats()
    return {
      events,
      calls,
      requests: { sent: all, unsuccessful },
      health: this.#tracking.health().state,
      ...(this.#outbox && { outbox: this.#outbox }),
      minutes: this.#journal.minutes.recent(),
    }
  }

  /** Asks what waits. What has changed is told by an update, after which it is asked again. */
  async #lookIntoOutbox(): Promise<void> {
    const before = this.#outbox?.calls
    this.#outbox = await this.#askOutbox()
    this.#outboxTimer = undefined
    if (this.#outbox?.calls !== before) this.#scheduleUpdate()
  }

  /** Starts an event stream: a snapshot, then every change. */
  stream(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    this.#streams.start(response, headers, JSON.stringify(this.snapshot()))
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
  }

  #noteChange(request: RequestRecord): void {
    if (!this.#streams.isEmpty) this.#changed.add(request)
  }

  #scheduleUpdate(): void {
    if (this.#streams.isEmpty) return
    this.#updateTimer ??= setTimeout(() => this.#sendUpdate(), UPDATE_DELAY_MS).unref()
  }

  #sendUpdate(): void {
    clearTimeout(this.#updateTimer)
    this.#updateTimer = undefined
    const update: Update = {
      requests: [...this.#changed].map(summaryOf),
      totals: this.totals(),
      capacity: this.#capacity,
    }
    this.#changed.clear()
    this.#streams.send(JSON.stringify(update))
  }

  #beat(): void {
    if (!this.#streams.isEmpty) return this.#sendUpdate()
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #close(): void {
    clearTimeout(this.#updateTimer)
    clearTimeout(this.#outboxTimer)
    clearInterval(this.#heartbeat)
    this.#streams.close()
  }
}
