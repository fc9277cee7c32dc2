import { CALL_TYPES } from '../model/segment-call.js'
import { setImmediate } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import { isPromise } from '../support/maybe.js'
import { memberOf } from '../support/member-of.js'
import { messageIdsOf, splitBatchBody } from './batch-body.js'
import { type ClientCall, type ClientCalls, isContext } from './client-calls.js'
import {
  Cancelled,
  ClientClosed,
  cancelledBy,
  faultOf,
  isCancellation,
  isNetworkError,
  messageOf,
} from './failure.js'
import type { SdkTraits, SegmentClient } from './segment-client.js'

/** The SDK's words for batches that it has kept for too long. */
const SDK_DELAYS: readonly string[] = ['Rate limit duration exceeded', 'Flush timeout']

/** The client whose events are read. */
export interface EmittingClient {
  readonly analytics: SegmentClient
  /** Whether the transport reports the outcome of every request. */
  readonly isOwn: boolean
  /** Of the SDK's client. */
  readonly traits: SdkTraits | undefined
}

/**
 * Reads what a client emits. The transport of our own client knows what became of each request, so that its events tell only
 * of calls that never got into one: plugins and listeners can stop a call in many ways.
 */
export class ClientEvents {
  readonly #client: EmittingClient
  readonly #calls: ClientCalls
  /** Whether the delivery is making a call; any other is one that the application makes itself. */
  #isDelivering = false
  #isBegun = false
  /** Whether a request began on this turn of the event loop: it cannot have failed yet. */
  #isRequesting = false

  constructor(client: EmittingClient, calls: ClientCalls) {
    this.#client = client
    this.#calls = calls
    this.#on('dispatch_start', (context) => this.#begun(context))
    for (const type of CALL_TYPES) this.#on(type, (context) => this.#succeeded(context))
    this.#on('error', (error) => this.#failed(error))
    if (client.isOwn) return
    this.#on('http_request', (request) => this.#requested(request))
    this.#on('http_response', (response) => {
      const status = memberOf(response, 'status')
      if (typeof status === 'number' && status < 400) calls.accepted(messageIdsIn(response))
    })
  }

  /** The next call that the client begins is one of the delivery. */
  expect(): void {
    this.#isDelivering = true
    this.#isBegun = false
  }

  /** @returns Whether the client has begun the expected call. */
  expected(): boolean {
    this.#isDelivering = false
    return this.#isBegun
  }

  /** Adds a listener that never throws: the SDK would take an exception for a failure of the call. */
  #on(event: string, listener: (told: unknown) => void): void {
    const contained = (told: unknown) => {
      try {
        listener(told)
      } catch {
        // A stand-in has emitted what is no event of the SDK; the watch ends the call.
      }
    }
    try {
      // The SDK emits more events than its types list.
      const { on } = this.#client.analytics
      const answer: unknown = on && Reflect.apply(on, this.#client.analytics, [event, contained])
      if (isPromise(answer)) answer.then(undefined, () => {})
    } catch {
      // A stand-in that takes no listeners tells nothing.
    }
  }

  /** A call has failed that no request has carried. */
  stopped(call: ClientCall, reason: unknown): void {
    this.#calls.failed(call, this.#reasonBeforeRequest(reason))
  }

  #begun(context: unknown): void {
    if (!isContext(context)) return
    this.#isBegun = true
    this.#calls.begin(context.event.messageId ?? '', context, !this.#isDelivering)
  }

  #requested(request: unknown): void {
    this.#calls.carried(messageIdsIn(request))
    this.#isRequesting = true
    setImmediate(() => {
      this.#isRequesting = false
    })
  }

  #succeeded(context: unknown): void {
    const call = isContext(context) ? this.#calls.find(context) : undefined
    if (!call || !isContext(context)) return
    const { isOwn, traits } = this.#client
    if (call.isSent && isOwn) return
    const needsRequest = traits !== undefined && !traits.isDisabled
    // A call whose messageId a plugin has removed cannot be found in a request.
    if (call.isSent || !needsRequest || context.event.messageId === undefined) this.#calls.delivered(call)
    else
      this.#calls.failed(
        call,
        new Cancelled('the client has sent no request with it: a plugin may exclude Segment.io'),
      )
  }

  #failed(error: unknown): void {
    const context = memberOf(error, 'ctx')
    const call = isContext(context) ? this.#calls.find(context) : undefined
    if (!call) return
    const reason = memberOf(error, 'reason')
    if (call.isSent && this.#client.isOwn) return
    if (call.isAccepted) this.#calls.delivered(call)
    else
      this.#calls.failed(
        call,
        call.isSent ? this.#reasonAfterRequest(reason) : this.#reasonBeforeRequest(reason),
      )
  }

  /** Why a request has failed. A listener of `http_request` that throws keeps the SDK from sending it. */
  #reasonAfterRequest(reason: unknown): unknown {
    return this.#client.traits && this.#isRequesting && !isNetworkError(reason) ? cancelledBy(reason) : reason
  }

  /** Why a call has failed that no request has carried. */
  #reasonBeforeRequest(reason: unknown): unknown {
    const { isOwn, traits } = this.#client
    if (faultOf(reason).kind === 'too-large' || isInstance(reason, ClientClosed)) return reason
    if (isInstance(reason, Error) && SDK_DELAYS.includes(messageOf(reason)))
      return isOwn ? new ClientClosed() : reason
    const mayBeNetwork = !isOwn && (traits === undefined || traits.hasOAuth)
    if (isCancellation(reason) || !mayBeNetwork) return cancelledBy(reason)
    return traits === undefined || isNetworkError(reason) ? reason : cancelledBy(reason)
  }
}

function messageIdsIn(told: unknown): string[] {
  const body = memberOf(told, 'body')
  return typeof body === 'string' ? messageIdsOf(splitBatchBody(body)?.calls ?? '') : []
}
