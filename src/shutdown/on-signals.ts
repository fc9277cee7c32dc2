import { constants } from 'node:os'
import { isatty } from 'node:tty'
import type { Logger } from '@walkeros/core'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { SignalOptions } from '../model/signal-options.js'
import { performance, setTimeout } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import { ClosingServer } from './closing-server.js'
import { checkSignalOptions } from './signal-options.js'

/** The part of a tracking that the hook uses. */
export interface SignalTarget {
  /** Tells the tracking that its servers are about to close. */
  closing(): void
  shutdown(options: { timeout: number }): Promise<ShutdownReport>
  /** How many calls have failed so far. */
  failedCalls(): number
  readonly logger: Logger.Instance
}

/** The part of the deadline that servers may not use up, because their requests' events need it: a quarter, at most this. */
const MOST_RESERVED_MS = 2_000
/** Shorter than the pause between two key presses. */
const SAME_PRESS_MS = 500

/** All shutdowns of this process: with several trackings, the last one to finish ends it. */
const shutdowns = new Set<Promise<boolean>>()

/**
 * Shuts the process down on a signal: stops accepting, lets open requests finish, delivers their events, exits.
 *
 * Exits with the `process.exitCode` that the application has set, or 0. If the deadline passed or a call was lost, 0 becomes
 * 1. A second signal exits at once with 128 + its number; two Ctrl-C within half a second count as one. The signal is never
 * raised again, because a container's first process would ignore it. Other handlers of these signals stay in place and run.
 *
 * @returns A function that removes the hook.
 * @throws TypeError for an option that cannot work.
 */
export function shutdownOnSignals(tracking: SignalTarget, options?: SignalOptions): () => void {
  const { signals, timeout, delay, ...given } = checkSignalOptions(options)
  const servers = given.servers.map((server) => new ClosingServer(server))
  let signalledAt: number | undefined

  const shutDown = async () => {
    const failedBefore = tracking.failedCalls()
    if (delay > 0) await wait(delay)
    const deadline = performance.now() + timeout
    tracking.closing()
    const closed = await closeAll(servers, timeout - Math.min(MOST_RESERVED_MS, timeout / 4))
    if (!closed) tracking.logger.error('requests were still open when their time was over, and were cut off')
    const report = await tracking.shutdown({ timeout: Math.max(0, deadline - performance.now()) })
    return closed && !report.timedOut && tracking.failedCalls() === failedBefore
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalledAt !== undefined) {
      if (isSameKeyPress(signal, signalledAt)) return
      process.exit(128 + constants.signals[signal])
    }
    signalledAt = performance.now()
    const work = shutDown()
    shutdowns.add(work)
    void work.then(exitAfterAll)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    if (signalledAt === undefined) for (const server of servers) server.unwatch()
  }
}

/** A terminal sends Ctrl-C to every process in it, and npm passes its own on to the process that it started. */
function isSameKeyPress(signal: NodeJS.Signals, firstAt: number): boolean {
  return signal === 'SIGINT' && performance.now() - firstAt < SAME_PRESS_MS && [0, 1, 2].some(isatty)
}

/** Misses no shutdown: all handlers of a signal have run before the first shutdown is done. */
async function exitAfterAll(): Promise<void> {
  const clean = await Promise.all(shutdowns)
  // A failure of which the application itself has told is worth more than ours.
  if (!clean.every(Boolean) && Number(process.exitCode ?? 0) === 0) process.exitCode = 1
  process.exit()
}

/** @returns Whether all servers closed within the time. If not, their connections are destroyed. */
async function closeAll(servers: readonly ClosingServer[], timeoutMs: number): Promise<boolean> {
  const closing = Promise.all(servers.map((server) => server.close(timeoutMs)))
  const closed = (await answerWithin(closing, timeoutMs)) !== undefined
  // A destroyed connection ends its requests, so their events are dispatched, too.
  if (!closed) for (const server of servers) server.cutOff()
  return closed
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
