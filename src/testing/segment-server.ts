import type { IncomingMessage, ServerResponse } from 'node:http'
import { failure, faultAnswer, SUCCESS } from './answers.js'
import { assertOptions, assertTimeout } from './arguments.js'
import { type FaultScript, FaultSequence, keepsAnswer, takesCalls } from './faults.js'
import { type Duplicate, Journal, type ReceivedBatch, type RejectedBatch } from './journal.js'
import { Listener } from './listener.js'
import { shown } from './partial-match.js'
import type { ReceivedCall } from './received-calls.js'
import { readBody, receive } from './receiving.js'
import { send } from './sending.js'

/** Settings of {@link createSegmentServer}. */
export interface SegmentServerOptions {
  /** The port to listen on. Defaults to 0, which takes a free one. Give one that a client in another process knows. */
  port?: number
  /** The address to listen on, loopback only. Defaults to `127.0.0.1`. */
  host?: '127.0.0.1' | '::1' | 'localhost'
  /** The only write key to accept; others get 401. By default every non-empty key is accepted. */
  writeKey?: string
  /** The path of the batch endpoint, for clients with a `path` of their own. Defaults to `/v1/batch`. */
  path?: string
  /**
   * Whether to keep calls and batches. `false`, for benchmarks, only counts them (`received`, `duplicates`, `rejected`)
   * and still remembers the messageIds, about 100 bytes each. Defaults to `true`.
   */
  record?: boolean
  /** Called for every call taken, once for each messageId, after the answer. Its exceptions are not caught. */
  onCall?: (call: ReceivedCall) => void
}

/** A local Segment endpoint, made by {@link createSegmentServer}. */
export interface SegmentServer {
  /** Its address, such as `http://127.0.0.1:41234`: the `host` setting of Segment's client. */
  readonly url: string
  readonly port: number
  /**
   * Every call taken, once for each messageId, in order of arrival. `batches` has the same objects:
   * `server.batches.find((batch) => batch.calls.includes(call))`.
   */
  readonly calls: readonly ReceivedCall[]
  /** Every request received, whatever the answer. */
  readonly batches: readonly ReceivedBatch[]
  /** The messageIds that arrived more than once. */
  readonly duplicates: readonly Duplicate[]
  /** The requests refused by Segment's rules; scripted faults do not count. */
  readonly rejected: readonly RejectedBatch[]
  /** How many calls were taken, counting each messageId once; also with `record: false`. */
  readonly received: number
  /**
   * Resolves with the first call that the predicate accepts, as soon as it has arrived.
   *
   * @param timeout - Milliseconds to wait. Defaults to 5000.
   * @throws If no such call arrives in time or the endpoint is closed; the error lists the types and event names that
   * did arrive. Also rethrows the predicate's exceptions.
   *
   * @example
   * const order = await server.waitFor((call) => call.type === 'track' && call.event === 'Order Completed')
   */
  waitFor<T extends ReceivedCall>(predicate: (call: ReceivedCall) => call is T, timeout?: number): Promise<T>
  waitFor(predicate: (call: ReceivedCall) => boolean, timeout?: number): Promise<ReceivedCall>
  /** Resolves with the first `count` calls, as soon as they have arrived; with `record: false`, with an empty list. */
  waitFor(count: number, timeout?: number): Promise<readonly ReceivedCall[]>
  /**
   * Makes the endpoint misbehave from the next request on; see {@link Fault}. Requests to other paths are not scripted.
   *
   * @param script - A fault for every request, a list with one fault for each request and normal answers after it, or a
   * function that decides. `'ok'` or nothing restores normal answers.
   * @throws TypeError for an invalid fault.
   *
   * @example
   * server.respondWith([{ status: 503, times: 2 }, { status: 429, retryAfter: 1 }, { reset: true, record: true }])
   * server.respondWith(({ index }) => (index % 2 === 0 ? { delay: 500 } : undefined))
   */
  respondWith(script?: FaultScript): void
  /** Forgets everything received so far. The script stays, and open waits go on. */
  clear(): void
  /** Stops listening: closes connections and refuses new ones until {@link SegmentServer.start}. */
  stop(): Promise<void>
  /** Listens again on the same port; keeps everything received so far. */
  start(): Promise<void>
  /** Ends it for good: connections, hanging answers, timers and waits. Nothing then keeps the process alive. */
  close(): Promise<void>
}

const OPTIONS = ['port', 'host', 'writeKey', 'path', 'record', 'onCall']
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const DEFAULT_WAIT_MS = 5000

/**
 * Starts a local endpoint that behaves like Segment's HTTP API, for tests, demos and benchmarks without a network.
 *
 * It checks the write key (Basic authentication), accepts `POST /v1/batch`, and answers 400 to unusable input:
 * malformed JSON, more than 500 KB or 2500 calls, a call over 32 KB, a call without type, without userId and
 * anonymousId (`alias`: userId and previousId), a track without event, a group without groupId. (Segment answers some
 * of these with 200 and drops the call; here the loss shows.) Other paths are 404.
 *
 * @param options - Port, write key and more; nothing is required.
 * @returns The listening endpoint.
 * @throws TypeError for an invalid option, Error if the port is not available.
 *
 * @example
 * const server = await createSegmentServer()
 * const analytics = new Analytics({ writeKey: 'test', host: server.url, flushAt: 1 })
 * analytics.track({ userId: 'u1', event: 'Order Completed', properties: { total: 42 } })
 * const call = await server.waitFor((call) => call.type === 'track')
 * await server.close()
 */
export async function createSegmentServer(options: SegmentServerOptions = {}): Promise<SegmentServer> {
  assertServerOptions(options)
  const { host = '127.0.0.1', port = 0, path = '/v1/batch', record = true, writeKey, onCall } = options
  const journal = new Journal(record)
  let faults = new FaultSequence('ok')

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request, (body, bytes) => {
      const { batch, refusal } = receive(request, body, bytes, path, writeKey)
      const { headers, messageIds } = batch
      const fault = refusal?.status === 404 ? undefined : faults.next({ headers, messageIds })
      batch.taken = !refusal && takesCalls(fault)
      journal.addBatch(batch)
      if (refusal && keepsAnswer(fault)) journal.rejected.push({ ...refusal, messageIds })
      const fresh = batch.taken ? journal.take(batch.calls) : []
      const normal = refusal ? failure(refusal.status, refusal.reason) : SUCCESS
      send(response, fault ? faultAnswer(fault, normal) : normal, fault, (outcome) => {
        batch.status = outcome
      })
      if (onCall) for (const call of fresh) onCall(call)
    })
  }

  const listener = new Listener(host, port, handle)
  await listener.start()

  function waitFor<T extends ReceivedCall>(
    predicate: (call: ReceivedCall) => call is T,
    timeout?: number,
  ): Promise<T>
  function waitFor(predicate: (call: ReceivedCall) => boolean, timeout?: number): Promise<ReceivedCall>
  function waitFor(count: number, timeout?: number): Promise<readonly ReceivedCall[]>
  async function waitFor(
    wanted: number | ((call: ReceivedCall) => boolean),
    timeout = DEFAULT_WAIT_MS,
  ): Promise<ReceivedCall | readonly ReceivedCall[]> {
    assertTimeout('waitFor', timeout)
    return typeof wanted === 'function'
      ? journal.waitForCall(wanted, timeout)
      : journal.waitForCount(wanted, timeout)
  }

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    calls: journal.calls,
    batches: journal.batches,
    duplicates: journal.duplicates,
    rejected: journal.rejected,
    get received() {
      return journal.received
    },
    waitFor,
    respondWith(script) {
      faults = new FaultSequence(script)
    },
    clear: () => journal.clear(),
    stop: () => listener.stop(),
    start: () => listener.start(),
    close() {
      journal.close()
      return listener.close()
    },
  }
}

function assertServerOptions(options: SegmentServerOptions): void {
  assertOptions('createSegmentServer', options, OPTIONS)
  const { host, port, path, writeKey, record, onCall } = options
  const refuse = (problem: string) => {
    throw new TypeError(`createSegmentServer: ${problem}`)
  }
  if (host !== undefined && !LOOPBACK.includes(host)) {
    refuse(`host can only be ${LOOPBACK.join(', ')}; it is for this machine alone`)
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    refuse(`port is an integer from 0 to 65535; given ${shown(port)}`)
  }
  if (path !== undefined && !(typeof path === 'string' && path.startsWith('/'))) {
    refuse('path begins with a slash, such as /v1/batch')
  }
  if (writeKey === '') refuse('writeKey is empty; leave it out to accept every key')
  if (writeKey !== undefined && typeof writeKey !== 'string') {
    refuse(`writeKey is ${typeof writeKey}; expected a string`)
  }
  if (record !== undefined && typeof record !== 'boolean') {
    refuse(`record is ${shown(record)}; expected true or false`)
  }
  if (onCall !== undefined && typeof onCall !== 'function') {
    refuse(`onCall is ${shown(onCall)}; expected a function`)
  }
}
