import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'
import type { Outcome } from '../model/outcome.js'
import type { Judgement } from '../model/plan.js'
import type { DirectCall, SegmentCall } from '../model/segment-call.js'
import type { DestinationStep, Sources, Step, Who } from '../observe/step.js'
import { setImmediate } from '../support/clock.js'
import { isPromise } from '../support/maybe.js'
import { Minutes } from './minutes.js'

/** The most events kept of one request. Further ones are only counted; of a sender without an end, earlier ones. */
const MAX_EVENTS = 100
/** The most attempts kept of one call; the oldest are dropped. */
const MAX_BATCHES = 20

/** A finished HTTP request to Segment. */
export interface BatchRecord {
  readonly at: number
  readonly durationMs: number
  readonly status: number | undefined
  readonly error: string | undefined
  readonly messageIds: readonly string[]
}

/** A Segment call and its attempts so far. */
export interface CallRecord {
  readonly request: RequestRecord
  readonly call: SegmentCall
  readonly batches: BatchRecord[]
  outcome: { readonly failed?: FailureReason; readonly detail?: string | undefined } | undefined
}

/** An event, with the steps reported for it. */
export interface EventRecord {
  /** Empty for an event that `track()` refused. */
  readonly id: string
  readonly name: string
  readonly at: number
  /** The tracker's method, such as `identify`, that asked for exactly one call. */
  readonly method: DirectCall['type'] | undefined
  walkeros: WalkerOS.Event | undefined
  sources: Sources | undefined
  /** What the tracking plan made of it. */
  judgement: Judgement | undefined
  readonly steps: DestinationStep[]
  dropped: DropReason | undefined
  readonly calls: CallRecord[]
  /** How many calls were not made, since one with the same key was on its way. */
  repeated: number
}

/** A request; the record begins with its first event, or with its end. */
export interface RequestRecord {
  readonly number: number
  readonly events: EventRecord[]
  /** How many further events were counted but not kept. */
  omitted: number
  ended: EndedRequest | undefined
  who: Who | undefined
}

/** The result of a request that has ended, of a run, or of what a sender without an end has come to so far. */
export interface EndedRequest {
  readonly at: number
  readonly scope: 'request' | 'run' | 'sender'
  /** The kind of scope where it is no request. */
  readonly method: string
  /** The name of a run or a sender. */
  readonly path: string
  readonly outcome: Outcome
}

/** Keeps the latest requests and what became of their events. */
export class RequestJournal {
  /** HTTP requests to Segment since the journal was created. */
  readonly sent = { all: 0, unsuccessful: 0 }
  readonly minutes = new Minutes()
  /** Whether events are held to a tracking plan. */
  readonly hasPlan: boolean
  readonly #capacity: number
  readonly #changed: (request: RequestRecord) => void
  readonly #isExcluded: (native: unknown) => boolean
  /** By number, in the order in which they were first recorded. */
  readonly #requests = new Map<number, RequestRecord>()
  readonly #events = new Map<string, { readonly request: RequestRecord; readonly event: EventRecord }>()
  readonly #calls = new Map<string, CallRecord>()

  /**
   * @param hasPlan - Whether events are held to a tracking plan.
   * @param capacity - How many requests to keep.
   * @param changed - Called when a request ends, and on every later change to it.
   * @param isExcluded - Whether to leave out a request, given as its framework's own object.
   */
  constructor(
    hasPlan: boolean,
    capacity: number,
    changed: (request: RequestRecord) => void,
    isExcluded: (native: unknown) => boolean,
  ) {
    this.hasPlan = hasPlan
    this.#capacity = capacity
    this.#changed = changed
    this.#isExcluded = isExcluded
  }

  /** The requests that have ended, in the order in which they were first recorded. */
  requests(): RequestRecord[] {
    return [...this.#requests.values()].filter((request) => request.ended)
  }

  /** One request, if it has ended and is kept. */
  request(number: number): RequestRecord | undefined {
    const request = this.#requests.get(number)
    return request?.ended && request
  }

  /** The call with a messageId, if it is kept. */
  call(messageId: string): CallRecord | undefined {
    return this.#calls.get(messageId)
  }

  /** Records a step of an event. */
  record(step: Step): void {
    switch (step.type) {
      case 'tracked':
        this.minutes.count('tracked')
        this.#tracked(step)
        return
      case 'ended':
        this.#ended(step)
        return
      case 'dispatching':
        this.#ofEvent(step.event, (event) => {
          event.walkeros = step.walkeros
          event.sources = step.sources
        })
        return
      case 'planned':
        this.#ofEvent(step.event, (event) => {
          event.judgement = step.judgement
        })
        return
      case 'destination':
        this.#ofEvent(step.event, (event) => void event.steps.push(step))
        return
      case 'dropped':
        this.minutes.count('dropped')
        this.#dropped(step)
        return
      case 'called':
        this.#called(step)
        return
      case 'repeated':
        this.#ofEvent(step.event, (event) => {
          event.repeated++
        })
        return
      case 'request':
        this.#sent(step)
        return
      case 'delivered':
        this.minutes.count('delivered')
        this.#ofCall(step.call.params.messageId, (call) => {
          call.outcome = {}
        })
        return
      case 'failed':
        this.minutes.count('failed')
        this.#ofCall(step.call.params.messageId, (call) => {
          call.outcome = { failed: step.reason, detail: step.detail }
        })
        return
      case 'closing':
        return
    }
  }

  #tracked(step: Step & { type: 'tracked' }): void {
    const { name, timestamp: at, method } = step
    const request = this.#requestOf(step.request)
    this.#addEvent(request, { id: step.event, name, at, method })
  }

  #ended({ scope, request: number, outcome, tracked, name, who }: Step & { type: 'ended' }): void {
    if (tracked && this.#isExcluded(tracked.native)) return this.#forget(number)
    const request = this.#requestOf(number)
    request.ended = {
      at: Date.now(),
      scope,
      method: tracked?.method ?? scope,
      path: tracked?.url.pathname ?? name ?? '',
      outcome,
    }
    this.#changed(request)
    // Outside the response's turn: readers belong to the application and may be slow.
    setImmediate(() => {
      readWho(who, (read) => {
        request.who = read
        this.#changed(request)
      })
    })
  }

  #dropped(step: Step & { type: 'dropped' }): void {
    if (step.event !== '') {
      this.#ofEvent(step.event, (event) => {
        event.dropped = step.reason
      })
      return
    }
    this.minutes.count('tracked')
    const request = this.#requestOf(step.request)
    const refused = { id: '', name: step.name ?? '', at: Date.now(), method: undefined }
    this.#addEvent(request, refused, step.reason)
  }

  #called({ event: id, call }: Step & { type: 'called' }): void {
    const { messageId } = call.params
    const known = this.#events.get(id)
    if (!known || messageId === undefined) return
    const record: CallRecord = { request: known.request, call, batches: [], outcome: undefined }
    known.event.calls.push(record)
    this.#calls.set(messageId, record)
    this.#touch(known.request)
  }

  #sent({ messageIds, status, error, durationMs }: Step & { type: 'request' }): void {
    this.sent.all++
    const ok = status !== undefined && status >= 200 && status < 300
    if (!ok) {
      this.sent.unsuccessful++
      this.minutes.count('retries')
    }
    const batch: BatchRecord = { at: Date.now(), durationMs, status, error, messageIds }
    for (const id of messageIds) {
      this.#ofCall(id, ({ batches }) => {
        batches.push(batch)
        if (batches.length > MAX_BATCHES) batches.shift()
      })
    }
  }

  #addEvent(
    request: RequestRecord,
    known: Pick<EventRecord, 'id' | 'name' | 'at' | 'method'>,
    dropped?: DropReason,
  ): void {
    const isFull = request.events.length >= MAX_EVENTS
    if (isFull) request.omitted++
    // A sender without an end is looked at for what it does now.
    if (isFull && request.ended?.scope === 'sender') this.#forgetEvent(request.events.shift())
    if (request.events.length < MAX_EVENTS) {
      const event: EventRecord = {
        ...known,
        walkeros: undefined,
        sources: undefined,
        judgement: undefined,
        steps: [],
        dropped,
        calls: [],
        repeated: 0,
      }
      request.events.push(event)
      if (event.id !== '') this.#events.set(event.id, { request, event })
    }
    this.#touch(request)
  }

  #ofEvent(id: string, change: (event: EventRecord) => void): void {
    const known = this.#events.get(id)
    if (!known) return
    change(known.event)
    this.#touch(known.request)
  }

  #ofCall(messageId: string | undefined, change: (call: CallRecord) => void): void {
    const known = messageId === undefined ? undefined : this.#calls.get(messageId)
    if (!known) return
    change(known)
    this.#touch(known.request)
  }

  #touch(request: RequestRecord): void {
    if (request.ended) this.#changed(request)
  }

  #requestOf(number: number): RequestRecord {
    const known = this.#requests.get(number)
    if (known) return known
    const request: RequestRecord = { number, events: [], omitted: 0, ended: undefined, who: undefined }
    this.#requests.set(number, request)
    if (this.#requests.size > this.#capacity) {
      const [oldest] = this.#requests.keys()
      if (oldest !== undefined) this.#forget(oldest)
    }
    return request
  }

  #forget(number: number): void {
    const request = this.#requests.get(number)
    this.#requests.delete(number)
    for (const event of request?.events ?? []) this.#forgetEvent(event)
  }

  #forgetEvent(event: EventRecord | undefined): void {
    if (!event) return
    this.#events.delete(event.id)
    for (const record of event.calls) {
      const { messageId = '' } = record.call.params
      // A later event with the same key has calls of the same messageIds.
      if (this.#calls.get(messageId) === record) this.#calls.delete(messageId)
    }
  }
}

/** Reads a request's sender; failing readers are reported by the tracker. */
function readWho(who: (Step & { type: 'ended' })['who'], done: (read: Who) => void): void {
  try {
    const read = who()
    if (isPromise(read)) read.then(done, () => {})
    else done(read)
  } catch {
    // The tracker reports it.
  }
}
