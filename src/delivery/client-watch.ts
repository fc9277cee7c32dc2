import { clearTimeout, setTimeout } from '../support/clock.js'
import { isPromise } from '../support/maybe.js'
import type { ClientCall, ClientCalls } from './client-calls.js'
import { Cancelled } from './failure.js'
import { isRateLimited, pluginsLoaded, type SdkTraits, type SegmentClient } from './segment-client.js'

const CHECK_MS = 500
/** Two seconds: what a plugin may take, and what the SDK may take to report an accepted call. */
const SOON = 4
/** Ten seconds, for a plugin that is being loaded: the SDK holds all calls meanwhile. */
const WHILE_LOADING = 20
/** Ten minutes: the SDK tries a token for minutes. */
const WITH_OAUTH = 1_200
/** Six minutes, more than the SDK's longest pause between two requests. */
const BETWEEN_REQUESTS = 720

/** The client whose calls are watched. */
export interface WatchedClient {
  readonly analytics: SegmentClient
  /** Whether the transport knows the outcome of every request. */
  readonly isOwn: boolean
  /** Of the SDK's client. */
  readonly traits: SdkTraits | undefined
}

/**
 * Finds calls whose outcome the client will never report, because a plugin hangs or a listener has thrown, and gives their
 * places back. It counts checks instead of milliseconds, so that a blocked event loop costs no call its outcome.
 */
export class ClientWatch {
  readonly #client: WatchedClient
  readonly #calls: ClientCalls
  #timer: NodeJS.Timeout | undefined
  #loading: unknown
  /** How many more checks wait for plugins that are being loaded. */
  #loadingChecks = 0
  #abandoned = 0

  constructor(client: WatchedClient, calls: ClientCalls) {
    this.#client = client
    this.#calls = calls
    calls.onFirst = () => this.#checkLater()
    calls.onEmpty = () => {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  /** How many calls it has given up that the application's own client still holds. */
  get abandoned(): number {
    return this.#abandoned
  }

  #checkLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#check()
      if (this.#calls.size > 0) this.#checkLater()
    }, CHECK_MS)
    this.#timer.unref()
  }

  #check(): void {
    if (this.#loadingChecks > 0) this.#loadingChecks--
    this.#checkLoading()
    for (const call of [...this.#calls.values()]) {
      if (call.isSent && this.#client.isOwn) continue
      if (!call.isSent && this.#loadingChecks > 0) continue
      if (++call.idleChecks > this.#patienceWith(call)) this.#giveUp(call)
    }
  }

  #checkLoading(): void {
    const loading = pluginsLoaded(this.#client.analytics)
    if (loading === this.#loading || !isPromise(loading)) return
    this.#loading = loading
    this.#loadingChecks = WHILE_LOADING
    const loaded = () => {
      if (this.#loading === loading) this.#loadingChecks = 0
    }
    loading.then(loaded, loaded)
  }

  #patienceWith({ isSent, isAccepted }: ClientCall): number {
    const { analytics, isOwn, traits } = this.#client
    if (isAccepted) return SOON
    if (isSent || !traits) return BETWEEN_REQUESTS
    if (!isOwn && (traits.hasOAuth || isRateLimited(analytics))) return WITH_OAUTH
    return SOON + traits.flushIntervalMs / CHECK_MS
  }

  #giveUp(call: ClientCall): void {
    const { isOwn, traits } = this.#client
    this.#abandoned++
    if (call.isAccepted) this.#calls.delivered(call)
    else if (isOwn || (traits && !call.isSent)) {
      this.#calls.failed(call, new Cancelled('the client has not sent it: does one of its plugins hang?'))
    } else this.#calls.failed(call, new Error('timeout: the client has not reported an outcome'))
  }
}
