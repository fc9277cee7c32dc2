import { AsyncResource } from 'node:async_hooks'
import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import { collectEvent, type GivenEvent } from '../model/event.js'
import { toId } from '../model/identity.js'
import type { DirectCall, SegmentContext } from '../model/segment-call.js'
import type { SentFacts, SentPage } from '../model/sent-facts.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { SegmentPage } from '../request/page.js'
import type { PersonReading } from '../request/person.js'
import type { OutgoingResponse } from '../request/response-head.js'
import { type RequestContext, toSegmentContext } from '../request/segment-context.js'
import type { KnownConsent, ReadConsent, SenderReader } from '../request/sender.js'
import { parseTraceparent } from '../request/trace.js'
import type { Maybe } from '../support/maybe.js'
import type { WaitUntil } from './platform-wait.js'
import type { ScopeHost } from './scope.js'
import { ScopeTracker } from './scope-tracker.js'

/** Whoever sends requests would write the log. */
const unsaid = { incomplete: () => {} }

/** The tracker of one request: everything that it does not know itself, readers read from the request. */
export class RequestTracker extends ScopeTracker {
  readonly kind = 'request'
  readonly request: TrackedRequest
  readonly response: OutgoingResponse
  /** How the host of a web-standard request is told what to wait for. */
  hostWaitUntil: WaitUntil | undefined
  /** Tells at the end, from the status, whether a page was shown; where that is tracked. */
  showedPage: ((status: number) => boolean) | undefined
  /** When the response's headers were first seen to be out, in milliseconds of `performance.now()`. */
  headMark: number | undefined
  readonly #sender: SenderReader
  #requestContext: RequestContext | undefined

  constructor(host: ScopeHost, sender: SenderReader, request: TrackedRequest, response: OutgoingResponse) {
    super(host, new AsyncResource('reqtrack'))
    this.#sender = sender
    this.request = request
    this.response = response
  }

  override get waitUntilOfHost(): WaitUntil | undefined {
    return this.hostWaitUntil
  }

  override readRoute(): string | undefined {
    try {
      return this.request.route
    } catch (error) {
      this.host.reporter.fault('the route of a request could not be read', error)
      return undefined
    }
  }

  readConsent(): Maybe<ReadConsent> {
    return this.#sender.consent(this.request)
  }

  knownConsent(): KnownConsent {
    return this.#sender.knownConsent(this.request)
  }

  readSkipped(): Maybe<boolean> {
    return this.#sender.skips(this.request)
  }

  segmentContext(consent: WalkerOS.Consent, page?: SentPage): SegmentContext | undefined {
    this.#requestContext ??= this.#sender.context(this.request)
    if (!this.#requestContext) return undefined
    const read = page ? this.#sender.contextAt(this.#requestContext, page) : this.#requestContext
    return toSegmentContext(read, consent)
  }

  /** The page that a browser names, cut as the request's own would be. */
  sentPage(page: SentPage): SegmentPage | undefined {
    return this.#sender.sentPage(page)
  }

  protected readTrace(): string | undefined {
    return parseTraceparent(this.request.headers.traceparent)?.trace
  }

  /** The head of a page's response is about to go out: the last moment for its address and its cookies. */
  pageShown(): void {
    this.keepNetwork()
    this.inScope(() => this.createAnonymousId())
  }

  /** Tracks the page that the request has shown, before what its handler tracked on it. */
  pageViewed(): void {
    const properties = this.#sender.pageProperties(this.request)
    const given = { name: 'page view', data: properties, timestamp: this.startedAt }
    this.inScope(() => this.collect(given, { type: 'page', automatic: true }, this.pageViewed, 'first'))
  }

  /**
   * Collects an event that a browser has sent. Nothing of it reaches the log.
   *
   * @param sent - What only the browser knows of it.
   * @returns Why it is dropped; `undefined` where it is collected.
   */
  collectSent(given: GivenEvent, direct: DirectCall | undefined, sent: SentFacts): DropReason | undefined {
    const { events } = this.host
    if (events.refusal) return this.refuseSent(given, events.refusal)
    const collected = collectEvent(given, direct, unsaid, sent)
    if ('refused' in collected) return this.refuseSent(given, collected.refused)
    if (!events.hasRoomFor(collected)) return this.refuseSent(given, 'overflow')
    events.tracked()
    this.keepNetwork()
    this.hold(collected, this.collectSent, 'last')
    return undefined
  }

  /** Drops an event that a browser has sent, and counts it. */
  refuseSent(given: GivenEvent, reason: DropReason): DropReason {
    const { events } = this.host
    events.tracked()
    events.refused(this.number, given, reason)
    return reason
  }

  protected readOwnPerson(): PersonReading {
    return this.#sender.person(this.request)
  }

  protected keepNetwork(): void {
    if (this.#sender.readsIp) void this.request.ip
  }

  protected createAnonymousId(): void {
    if (!this.#sender.createsIds || toId(this.override?.session) !== undefined) return
    this.#sender.createAnonymousId(this.request, this.response, this.chosen)
  }
}
