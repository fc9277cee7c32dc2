import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { DropReason } from '../model/drop.js'
import { wordsOf } from '../model/event-name.js'
import { type Identity, toId } from '../model/identity.js'
import { isRecord } from '../model/values.js'
import { networkOf } from '../request/network.js'
import { inTime, isPromise } from '../support/maybe.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { RequestTracker } from '../tracker/request-tracker.js'
import {
  type Answer,
  answerOfList,
  answerOfOne,
  empty,
  picture,
  refusal,
  type SentOutcome,
  success,
} from './answer.js'
import { readBody } from './body.js'
import { BodyError } from './bytes.js'
import type { CollectRules } from './options.js'
import { judgeOrigin, preflightHeaders } from './origins.js'
import { queryEvent } from './query-event.js'
import { RateLimiter, type Sender } from './rate-limiter.js'
import { type Route, routeOf } from './routes.js'
import { readSegmentCall } from './segment-calls.js'
import type { Reading, SentEvent } from './sent-event.js'
import { readWalkerEvent, walkerEventsIn } from './walkeros-events.js'

/** The largest event; half of it is more than Segment takes. */
const MAX_EVENT_BYTES = 64 * 1024
/** The largest list: analytics.js fills its batches to 450 KB. */
const MAX_BATCH_BYTES = 512 * 1024
const GROUPS_TIMEOUT_MS = 2_000
const NO_GROUPS: ReadonlySet<string> = new Set()

/** A request that an endpoint got. */
export interface CollectRequest {
  readonly message: IncomingMessage
  readonly tracker: RequestTracker
  /** The path below the endpoint. */
  readonly path: string
  /** What a body parser that is mounted before has made of the body. */
  readonly parsed: unknown
  /** What the body is read from, where that is not the message. */
  readonly payload?: Readable
}

/** The events of a request, and the form of the answer to them. */
interface Sent {
  readonly events: readonly unknown[]
  /** Whether one of them is about a group. */
  readonly hasGroups?: boolean
  readonly read: (event: unknown, reading: Reading) => SentEvent | undefined
  readonly answer: (outcomes: readonly SentOutcome[]) => Answer
}

/** Takes what browsers send, as events of the request that brings it. */
export class Collector {
  readonly #rules: CollectRules
  readonly #inside: TrackingInternals
  readonly #limiter: RateLimiter | undefined

  constructor(rules: CollectRules, inside: TrackingInternals) {
    this.#rules = rules
    this.#inside = inside
    this.#limiter =
      rules.limit &&
      new RateLimiter(rules.limit, (error) => inside.fault('the store of a rate limit failed', error))
  }

  /** Takes the events of a request. Never rejects. */
  async answer(request: CollectRequest): Promise<Answer> {
    const { isAllowed, headers } = judgeOrigin(request.tracker.request, this.#rules.origins)
    const answer = isAllowed
      ? await this.#takeSafely(request)
      : refusal(403, 'this page may not send events here: its origin is another one')
    return { ...answer, headers: { ...answer.headers, ...headers } }
  }

  async #takeSafely(request: CollectRequest): Promise<Answer> {
    try {
      return await this.#take(request)
    } catch (error) {
      if (error instanceof BodyError) return refusal(error.status, error.message, closing(error.status))
      this.#inside.fault('the events of a browser could not be taken', error)
      return refusal(500, 'the events could not be taken')
    }
  }

  async #take(request: CollectRequest): Promise<Answer> {
    const { tracker, path } = request
    const { method } = tracker.request
    const route = routeOf(path)
    if (!route) return refusal(404, 'there is no such address here')
    if (method === 'OPTIONS') return empty(preflightHeaders())
    const isPicture = method === 'GET' && route.kind === 'walkeros'
    if (method !== 'POST' && !isPicture)
      return refusal(405, 'expected POST', {
        allow: route.kind === 'walkeros' ? 'GET, POST, OPTIONS' : 'POST, OPTIONS',
      })
    if (route.kind === 'metrics') return success()
    const address = networkOf(tracker.request.ip)
    const wait = this.#limiter?.waitOf(address)
    if (wait !== undefined) return tooMany(wait)
    const sent = isPicture ? pictureOf(tracker.request.url) : await this.#read(route, request)
    const { maxEvents } = this.#rules
    if (sent.events.length > maxEvents) return refusal(400, `a list has at most ${maxEvents} events`)
    const { identity } = tracker
    const sender = senderOf(identity, address)
    const over = await this.#limiter?.take(Math.max(1, sent.events.length), sender)
    return over === undefined ? this.#collect(sent, tracker, identity) : tooMany(over)
  }

  async #read(route: Route, { message, parsed, payload = message }: CollectRequest): Promise<Sent> {
    const limit = route.kind === 'call' ? MAX_EVENT_BYTES : MAX_BATCH_BYTES
    const { value, bytes } = await readBody(message, payload, parsed, limit)
    if (route.kind === 'call') return callOf(route.type, value)
    if (route.kind === 'batch') return batchOf(value)
    const { isList, events } = walkerEventsIn(value)
    if (!isList && bytes !== undefined && bytes > MAX_EVENT_BYTES)
      throw new BodyError(413, `the event is longer than ${MAX_EVENT_BYTES} bytes`)
    return {
      events,
      read: readWalkerEvent,
      answer: (outcomes) => (isList ? answerOfList(outcomes) : answerOfOne(outcomes[0] ?? 'invalid')),
    }
  }

  async #collect(sent: Sent, tracker: RequestTracker, identity: Identity): Promise<Answer> {
    const { events, read, answer } = sent
    const reading = await this.#readingOf(tracker, identity, sent.hasGroups === true)
    const outcomes = events.map((event) => this.#collectOne(read(event, reading), tracker))
    // The dispatcher asks again and drops them; here it is only the answer that differs.
    const skipped = tracker.inScope((scope) => scope.readSkipped())
    return skipped === true ? empty() : answer(outcomes)
  }

  #collectOne(event: SentEvent | undefined, tracker: RequestTracker): SentOutcome {
    if (!event) return outcomeOf(tracker.refuseSent({}, 'invalid'))
    const { given, direct, facts, isAllowed } = event
    return outcomeOf(
      isAllowed
        ? tracker.collectSent(given, direct, facts)
        : tracker.refuseSent({ name: shortName(given.name) }, 'refused'),
    )
  }

  async #readingOf(tracker: RequestTracker, identity: Identity, hasGroups: boolean): Promise<Reading> {
    const { plans, consentCategories } = this.#inside
    const { allows } = this.#rules
    return {
      rules: this.#rules,
      allows: (name, direct) => (allows ? allows(name) : plans({ name, ...wordsOf(name) }, direct)),
      identity,
      groups: hasGroups ? await this.#groupsOf(tracker) : NO_GROUPS,
      categories: consentCategories,
      arrivedAt: Date.now(),
      cutPage: (url, referrer) => tracker.sentPage({ url, referrer, title: undefined }),
    }
  }

  /** The groups that the application says the user is a member of; none, where that fails. */
  async #groupsOf(tracker: RequestTracker): Promise<ReadonlySet<string>> {
    const { groups } = this.#rules
    if (!groups) return NO_GROUPS
    try {
      const asked = groups(tracker.request)
      const given: unknown = isPromise(asked) ? await inTime(asked, GROUPS_TIMEOUT_MS) : asked
      const ids = Array.isArray(given) ? given : [given]
      return new Set(ids.flatMap((id) => toId(id) ?? []))
    } catch (error) {
      this.#inside.fault(
        'the function `groups` of a collect endpoint failed: its group calls are refused',
        error,
      )
      return NO_GROUPS
    }
  }
}

/** The visitor as known at once: a limit that waits for a database is none. */
function senderOf({ anonymousId, userId }: Identity, address: string | undefined): Sender {
  return { address, visitor: anonymousId ?? userId }
}

function pictureOf(url: URL): Sent {
  return { events: [queryEvent(url.searchParams)], read: readWalkerEvent, answer: picture }
}

function callOf(type: string, call: unknown): Sent {
  const sentAt = isRecord(call) ? call.sentAt : undefined
  return {
    events: [call],
    hasGroups: type === 'group',
    read: (each, reading) => readSegmentCall(type, each, sentAt, reading),
    answer: success,
  }
}

function batchOf(body: unknown): Sent {
  if (!isRecord(body) || !Array.isArray(body.batch))
    throw new BodyError(400, 'expected an object with a list of calls as its batch')
  const { batch, sentAt } = body
  return {
    events: batch,
    hasGroups: batch.some((call) => isRecord(call) && call.type === 'group'),
    read: (call, reading) => readSegmentCall(isRecord(call) ? call.type : undefined, call, sentAt, reading),
    answer: success,
  }
}

function outcomeOf(reason: DropReason | undefined): SentOutcome {
  if (reason === undefined) return 'accepted'
  return reason === 'refused' || reason === 'invalid' || reason === 'too-large' ? reason : 'not collected'
}

function tooMany(seconds: number): Answer {
  return refusal(429, 'too many events: try again later', { 'retry-after': String(seconds) })
}

/** What was not read of a body is read by nobody: the connection cannot be used again. */
function closing(status: number): Answer['headers'] {
  return status === 413 || status === 408 ? { connection: 'close' } : {}
}

/** The name of a refused event, for callbacks: no longer than that of any other event. */
function shortName(name: unknown): string {
  return typeof name === 'string' ? name.slice(0, 255) : ''
}
