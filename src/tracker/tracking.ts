import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Analytics } from '@segment/analytics-node'
import type { Health, TrackingStats } from '../delivery/index.js'
import type { ResumeOptions } from '../model/carried.js'
import type { Sender } from '../model/sender.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { SignalOptions } from '../model/signal-options.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import type { Tracker } from '../model/tracker.js'
import type { TrustProxy } from '../request/trusted-proxies.js'

/** How `tracking.handle()` reads a request. */
export interface HandleOptions {
  /**
   * Which proxies in front of the server are believed about the client's address, and about the scheme and the host that it
   * asked for. Defaults to none. A setting that cannot work is logged once, and trusts none.
   */
  readonly trustProxy?: TrustProxy
}

/** One tracking: the shared Segment client, and everything between a request and it. */
export interface Tracking {
  /**
   * The one client that all requests share. It is made, and the Segment SDK loaded, with the first call, or when it is first
   * asked for. What is called on it directly is not in the books; `flush()` waits for it, and the log and the shutdown's
   * report tell of what does not arrive.
   */
  readonly segment: Analytics
  /**
   * The running request's tracker, from anywhere below the middleware; `undefined` outside of a request. All trackings of
   * a process share the context: where only another one is mounted on the request, it is that one's tracker.
   */
  current(): Tracker | undefined
  /** What became of every event and every call so far: a plain snapshot. */
  stats(): TrackingStats
  /** Whether calls get through, fit for a readiness page. */
  health(): Health
  /**
   * Waits until every call made before has its outcome, or the time is over. Never rejects, and can be called any number
   * of times at once.
   */
  flush(options?: TimeoutOptions): Promise<void>
  /**
   * Hands out the tracker of a request of Node's HTTP server: the same one however often it is asked for. The end of the
   * request is watched from the first time on.
   *
   * @param options - How the request is read; of several calls for one request, those of the first.
   *
   * @example
   * createServer((req, res) => {
   *   tracking.handle(req, res).track('page view')
   *   res.end('ok')
   * })
   */
  handle(req: IncomingMessage, res: ServerResponse, options?: HandleOptions): Tracker
  /**
   * Runs work outside of a request with a tracker of its own: a job, a webhook, a script. The tracker is ambient inside,
   * and its events go when the work has returned or its promise has settled. A shutdown waits for open runs.
   *
   * @param sender - Who tracks, and what they agreed to.
   * @returns What `work` returns; it throws what `work` throws, and awaits nothing.
   * @throws TypeError for a sender that cannot be one, for ids that are none, and for generators, whose body would run
   * after the end.
   *
   * @example
   * await tracking.run({ user: { id: invoice.userId }, consent: { analytics: true } }, async (tracker) => {
   *   await send(invoice)
   *   tracker.track('invoice send', { total: invoice.total })
   * })
   */
  run<T>(sender: Sender, work: (tracker: Tracker) => T): T
  /**
   * A tracker that has no end, for what lives long: a socket, a stream. Each of its events goes at once, and it holds
   * nothing but its sender.
   *
   * @throws TypeError for a sender that cannot be one.
   *
   * @example
   * const tracker = tracking.forSender({ user: { id: socket.userId }, consent: () => choicesOf(socket.userId) })
   * socket.on('message', () => tracker.track('message send'))
   */
  forSender(sender: Sender): Tracker
  /**
   * Goes on, in a job, with the person of the request that `tracker.carry()` was called in. What was carried may come from
   * anywhere: if it is malformed or wrongly signed, the work runs for nobody, and the log and `on.error` say so.
   *
   * A carried refusal stays. A grant that is older than `maxAge` (7 days) is unknown.
   *
   * @returns What `work` returns; it throws what `work` throws.
   * @throws TypeError for options that cannot work, and if `work` is no function.
   *
   * @example
   * queue.process((job) => tracking.resume(job.data.carried, (tracker) => tracker.track('invoice send')))
   */
  resume<T>(carried: unknown, work: (tracker: Tracker) => T, options?: ResumeOptions): T
  /**
   * Lets open requests and background work finish, delivers what they tracked, and closes the client. Never rejects and
   * never exits; later calls get the same promise. What is tracked afterwards is dropped with the reason `closed`.
   */
  shutdown(options?: TimeoutOptions): Promise<ShutdownReport>
  /**
   * Shuts the process down when it is told to end: closes the servers, finishes open requests, delivers their events,
   * exits.
   *
   * @returns What takes the hook away.
   *
   * @example
   * const server = app.listen(3000)
   * tracking.shutdownOnSignals({ server })
   */
  shutdownOnSignals(options?: SignalOptions): () => void
}
