import type { Tracker } from '../model/tracker.js'
import { member } from '../request/identity/id.js'
import type { WebTracked } from '../request/web-request.js'
import { WebResponse } from '../request/web-response.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { WaitUntil } from '../tracker/platform-wait.js'

/** What becomes of an error that a handler throws, in every host that serves web-standard handlers. */
const INTERNAL_SERVER_ERROR = 500
/** Next.js's marks of thrown answers: a redirect with its status last, and errors by their status. */
const NEXT_DIGEST = /^NEXT_(?:REDIRECT;.*;|HTTP_ERROR_FALLBACK;)(\d{3})(?:;|$)/

/** When a request ends: when its handler has settled, or when the body of its response was read or cancelled. */
export type WebEnd = 'handler' | 'body'

/** A request of a web-standard handler on its way: no event of Node's tells its end. */
export class WebExchange {
  readonly tracker: Tracker
  readonly #inside: TrackingInternals
  readonly #response = new WebResponse()
  #signal: AbortSignal | undefined
  readonly #aborted = () => this.#ended(undefined)
  readonly #end: (status: number | undefined) => void
  #isOpen: boolean

  /** @param waitUntil - Tells the host what to wait for; none where the tracking's own config does, or nothing has to. */
  constructor(inside: TrackingInternals, request: WebTracked, waitUntil: WaitUntil | undefined) {
    const tracker = inside.begin(request, this.#response, waitUntil)
    this.#inside = inside
    this.tracker = tracker
    this.#end = (status) => inside.ended(tracker, status)
    // Where a handler is wrapped twice, the outer one tells the end.
    this.#isOpen = tracker.response === this.#response
    if (!this.#isOpen) return
    this.#watch(request.message)
  }

  /** Some hosts have no signal, or one that throws when it is looked at: they tell of no client that leaves. */
  #watch(message: Request): void {
    try {
      const { signal } = message
      if (!signal) return
      signal.addEventListener('abort', this.#aborted)
      this.#signal = signal
      if (signal.aborted) this.#ended(undefined)
    } catch (error) {
      this.#inside.fault('the signal of a request cannot be listened to', error)
    }
  }

  /**
   * The handler has given its answer. Never throws.
   *
   * @returns What the host gets: the answer itself, unless a cookie had to be added to what cannot be changed.
   */
  answered<A>(answer: A, end: WebEnd): A | Response {
    if (!this.#isOpen) return answer
    try {
      if (!isResponse(answer)) {
        this.#ended(200)
        return answer
      }
      const sent = this.#response.answered(answer)
      if (end === 'body' && sent.body) return this.#following(sent, sent.body)
      this.#ended(sent.status)
      return sent
    } catch (error) {
      this.#inside.fault('the answer of a handler could not be looked at', error)
      this.#ended(undefined)
      return answer
    }
  }

  /**
   * The handler has thrown: an error, or an answer, as Remix, SvelteKit and Next.js do it. Never throws itself.
   *
   * @returns What is to be thrown on.
   */
  threw(thrown: unknown): unknown {
    if (isResponse(thrown)) return this.answered(thrown, 'handler')
    if (this.#isOpen) this.#ended(statusOf(thrown))
    return thrown
  }

  #ended(status: number | undefined): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#response.headersSent = true
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#end(status)
  }

  /** Tells the end when a body was read, cancelled or has failed. */
  #following(answer: Response, body: ReadableStream<Uint8Array>): Response {
    const reader = body.getReader()
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await reader.read()
            if (!done) return controller.enqueue(value)
            this.#ended(answer.status)
            controller.close()
          } catch (error) {
            this.#ended(undefined)
            controller.error(error)
          }
        },
        cancel: (reason) => {
          this.#ended(undefined)
          return reader.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(stream, answer)
  }
}

/** A response of any realm: hosts and frameworks have classes of their own. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true
  return (
    typeof member(value, 'status') === 'number' &&
    typeof member(member(value, 'headers'), 'getSetCookie') === 'function'
  )
}

/** The status that a host makes of something thrown. */
function statusOf(thrown: unknown): number {
  const status = member(thrown, 'status')
  if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status < 600) return status
  const digest = member(thrown, 'digest')
  const told = typeof digest === 'string' ? NEXT_DIGEST.exec(digest)?.[1] : undefined
  return told === undefined ? INTERNAL_SERVER_ERROR : Number(told)
}
