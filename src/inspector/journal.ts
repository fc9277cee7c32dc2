import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'
import type { Outcome } from '../model/outcome.js'
import type { DirectCall, SegmentCall } from '../model/segment-call.js'
import type { DestinationStep, Sources, Step, Who } from '../observe/step.js'
import { isPromise } from '../support/maybe.js'
import { Minutes } from './minutes.js'

/** A request can track without end; beyond so many its events are only counted. */
const MAX_EVENTS = 100
/** Of a call that is tried again and again, so many tries are kept. */
const MAX_BATCHES = 20

/** A request to Segment that has ended. */
export interface BatchRecord {
  readonly at: number
  readonly durationMs: number
  readonly status: number | undefined
  readonly error: string | undefined
  readonly messageIds: readonly string[]
}

/** A call on its way. */
export interface CallRecord {
  readonly request: RequestRecord
  readonly call: SegmentCall
  readonly batches: BatchRecord[]
  outcome: { readonly failed?: FailureReason; readonly detail?: string | undefined } | undefined
}

/** An event, with what was told of its way. */
export interface EventRecord {
  /** Empty where it was refused when it was tracked. */
  readonly id: string
  readonly name: string
  readonly at: number
  /** The tracker's method that asked for one call. */
  readonly method: DirectCall['type'] | undefined
  walkeros: WalkerOS.Event | undefined
  sources: Sources | undefined
  readonly steps: DestinationStep[]
  dropped: DropReason | undefined
  readonly calls: CallRecord[]
}

/** A request, from its first event or its end on. */
export interface RequestRecord {
  readonly number: number
  readonly events: EventRecord[]
  /** How many events more it had than are kept. */
  more: number
  ended: EndedRequest | undefined
  who: Who | undefined
}

/** What is known of a request that has ended. */
export interface EndedRequest {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly outcome: Outcome
}

/** Keeps the last requests and what became of their events. */
export class RequestJournal {
  /** Requests to Segment, since the journal began. */
  readonly sent = { all: 0, unsuccessful: 0 }
  readonly minutes = new Minutes()
  readonly #capacity: number
  readonly #changed: (request: RequestRecord) => void
  readonly #isOwn: (native: unknown) => boolean
  /** In the order in which they were first heard of. */
  readonly #requests = new Map<number, RequestRecord>()
  readonly #events = new Map<string, { readonly request: RequestRecord; readonly event: EventRecord }>()
  readonly #calls = new Map<string, CallRecord>()

  /**
   * @param capacity - How many requests to keep.
   * @param changed - Is told of every request that has ended, and whenever something of it changes after that.
   * @param isOwn - Whether a request, as its framework has it, is for the inspector itself and not to be kept.
   */
  constructor(
    capacity: number,
    changed: (request: RequestRecord) => void,
    isOwn: (native: unknown) => boolean,
  ) {
    this.#capacity = capacity
    this.#changed = changed
    this.#isOwn = isOwn
  }

  /** The requests that have ended, in the order in which they were first heard of. */
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

  /** Takes in a step of some event's way. */
  take(step: Step): void {
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

  #ended({ request: number, outcome, tracked, who }: Step & { type: 'ended' }): void {
    if (this.#isOwn(tracked.native)) return this.#forget(number)
    const request = this.#requestOf(number)
    request.ended = { at: Date.now(), method: tracked.method, path: tracked.url.pathname, outcome }
    this.#changed(request)
    // Not in the turn of the response: readers are the application's, and can take their time.
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
    if (request.events.length >= MAX_EVENTS) {
      request.more++
    } else {
      const event: EventRecord = {
        ...known,
        walkeros: undefined,
        sources: undefined,
        steps: [],
        dropped,
        calls: [],
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
    const request: RequestRecord = { number, events: [], more: 0, ended: undefined, who: undefined }
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
    for (const { id, calls } of request?.events ?? []) {
      this.#events.delete(id)
      for (const { call } of calls) this.#calls.delete(call.params.messageId ?? '')
    }
  }
}

/** Asks who sent a request; a reader that fails is told of elsewhere. */
function readWho(who: (Step & { type: 'ended' })['who'], done: (read: Who) => void): void {
  try {
    const read = who()
    if (isPromise(read)) read.then(done, () => {})
    else done(read)
  } catch {
    // As above.
  }
}
