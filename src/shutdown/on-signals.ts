import type { Server } from 'node:net'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import type { Logger } from '@walkeros/core'
import type { ShutdownReport } from '../model/shutdown-report.js'
import { answerWithin, timerMs } from '../support/maybe.js'
import { ClosingServer } from './closing-server.js'

/** How a process shuts down when it is told to end. */
export interface SignalOptions {
  /** The servers to close first: HTTP, HTTPS or HTTP/2. None by default. */
  server?: Server | Server[]
  /** The signals to act on. Defaults to `SIGTERM` and `SIGINT`. */
  signals?: NodeJS.Signals[]
  /** Milliseconds for everything: closing the servers and the tracking. Defaults to 10000. */
  timeout?: number
  /**
   * Milliseconds to keep serving after the signal, for a load balancer to notice. They are not part of `timeout`.
   * Defaults to 0.
   */
  delay?: number
}

/** What the hook needs of the tracking. */
export interface ShutsDown {
  /** The servers are about to be closed. */
  closing(): void
  shutdown(options: { timeout: number }): Promise<ShutdownReport>
  /** How many calls were given up so far. */
  failedCalls(): number
  readonly logger: Logger.Instance
}

const DEFAULT_SIGNALS: NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
const DEFAULT_TIMEOUT_MS = 10_000
/** Of a deadline that servers use up, so much is left to hand their requests' events over: a quarter, at most this. */
const MOST_RESERVED_MS = 2_000
/** Quicker than anybody presses Ctrl-C again. */
const SAME_PRESS_MS = 500

/** The shutdowns that are under way: with several trackings, the process ends with the last of them. */
const underWay = new Set<Promise<boolean>>()

/**
 * Shuts a process down when it is told to end: stops accepting, lets open requests finish, delivers their events, exits.
 *
 * Exits with 0, or with 1 when the deadline passed or a call was lost on the way. A second signal exits at once with
 * 128 + its number; a Ctrl-C that arrives twice within half a second is one. The signal is never raised again: a
 * container's first process would ignore it. Other handlers of these signals stay in place and run.
 *
 * @returns What takes the hook away.
 * @throws TypeError for an option that cannot work.
 */
export function shutdownOnSignals(tracking: ShutsDown, options: SignalOptions = {}): () => void {
  const { signals = DEFAULT_SIGNALS } = options
  const timeout = millisecondsOf('timeout', options.timeout, DEFAULT_TIMEOUT_MS)
  const delay = millisecondsOf('delay', options.delay, 0)
  for (const signal of signals) assertHandleable(signal)
  const servers = [options.server ?? []].flat().map((server) => new ClosingServer(server))
  let signalledAt: number | undefined

  const shutDown = async () => {
    const failedBefore = tracking.failedCalls()
    if (delay > 0) await elapsed(delay)
    const deadline = performance.now() + timeout
    tracking.closing()
    const closed = await closeAll(servers, timeout - Math.min(MOST_RESERVED_MS, timeout / 4))
    if (!closed) tracking.logger.error('requests were still open when their time was over, and were cut off')
    const report = await tracking.shutdown({ timeout: Math.max(0, deadline - performance.now()) })
    return closed && !report.timedOut && tracking.failedCalls() === failedBefore
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalledAt !== undefined) {
      if (isSamePress(signal, signalledAt)) return
      process.exit(128 + constants.signals[signal])
    }
    signalledAt = performance.now()
    const work = shutDown()
    underWay.add(work)
    void work.then(exitAfterAll)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    if (signalledAt === undefined) for (const server of servers) server.unwatch()
  }
}

/** A terminal sends Ctrl-C to all that runs in it, and npm, which runs there too, hands its own on to what it started. */
function isSamePress(signal: NodeJS.Signals, firstAt: number): boolean {
  return signal === 'SIGINT' && performance.now() - firstAt < SAME_PRESS_MS && [0, 1, 2].some(isatty)
}

/** Every hook's handler has run by the time that the first shutdown is done, so none is missed. */
async function exitAfterAll(): Promise<void> {
  const clean = await Promise.all(underWay)
  process.exit(clean.every(Boolean) ? 0 : 1)
}

/** @returns Whether all servers closed by themselves within the time; what still hangs is then cut off. */
async function closeAll(servers: readonly ClosingServer[], timeoutMs: number): Promise<boolean> {
  const closing = Promise.all(servers.map((server) => server.close()))
  const closed = (await answerWithin(closing, timeoutMs)) !== undefined
  // Its events, too, are then dispatched before the end.
  if (!closed) for (const server of servers) server.cutOff()
  return closed
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function millisecondsOf(option: 'timeout' | 'delay', given: unknown, byDefault: number): number {
  if (given === undefined) return byDefault
  if (typeof given === 'number' && given >= 0) return timerMs(given, byDefault)
  const what = typeof given === 'number' ? given : typeof given
  throw new TypeError(`shutdownOnSignals: ${option} was ${what}; expected milliseconds, a number from 0 on`)
}

function assertHandleable(signal: unknown): void {
  if (typeof signal === 'string' && Object.hasOwn(constants.signals, signal)) {
    if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') return
    throw new TypeError(`shutdownOnSignals: no process can handle ${signal}; leave it out of signals`)
  }
  throw new TypeError(
    `shutdownOnSignals: signals has ${JSON.stringify(signal)}; expected names such as 'SIGTERM'`,
  )
}
