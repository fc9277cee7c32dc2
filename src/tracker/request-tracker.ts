import { AsyncResource } from 'node:async_hooks'
import type { WalkerOS } from '@walkeros/core'
import { toId } from '../model/identity.js'
import type { SegmentContext } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { PersonReading } from '../request/person.js'
import type { OutgoingResponse } from '../request/response-head.js'
import { type RequestContext, toSegmentContext } from '../request/segment-context.js'
import type { KnownConsent, ReadConsent, SenderReader } from '../request/sender.js'
import { parseTraceparent } from '../request/trace.js'
import type { Maybe } from '../support/maybe.js'
import type { ScopeHost } from './scope.js'
import { ScopeTracker } from './scope-tracker.js'

/** The tracker of one request: everything that it does not know itself, readers read from the request. */
export class RequestTracker extends ScopeTracker {
  readonly kind = 'request'
  readonly request: TrackedRequest
  readonly response: OutgoingResponse
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

  segmentContext(consent: WalkerOS.Consent): SegmentContext | undefined {
    this.#requestContext ??= this.#sender.context(this.request)
    return this.#requestContext && toSegmentContext(this.#requestContext, consent)
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
