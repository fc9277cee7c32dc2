import type { Server } from 'node:net'
import { constants } from 'node:os'
import type { SignalOptions } from '../model/signal-options.js'
import { timerMs } from '../support/maybe.js'
import { readAsTypeError } from '../support/option.js'
import { nearest } from '../support/unknown-key.js'
import { assertServer, isServer } from './given-server.js'

/** Options that have been checked, with their defaults. */
export interface CheckedSignalOptions {
  readonly servers: readonly Server[]
  readonly signals: readonly NodeJS.Signals[]
  readonly timeout: number
  readonly delay: number
}

const OPTIONS = ['server', 'signals', 'timeout', 'delay']
const DEFAULT_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
const DEFAULT_TIMEOUT_MS = 10_000
/** More servers or signals than any process has. */
const MAX_LENGTH = 10_000

/**
 * Checks the options of `shutdownOnSignals`, which a JavaScript application may get wrong without a word from the compiler.
 *
 * @throws TypeError that says what was given and what to write.
 */
export function checkSignalOptions(given: SignalOptions = {}): CheckedSignalOptions {
  return readAsTypeError('shutdownOnSignals() was given an object', () => checked(given))
}

function checked(given: SignalOptions): CheckedSignalOptions {
  assertOptions(given)
  const { server, signals = DEFAULT_SIGNALS } = given
  const timeout = millisecondsOf('timeout', given.timeout, DEFAULT_TIMEOUT_MS)
  const delay = millisecondsOf('delay', given.delay, 0)
  assertSignals(signals)
  return { servers: serversOf(server), signals, timeout, delay }
}

function assertOptions(given: unknown): void {
  if (isServer(given)) {
    throw new TypeError('shutdownOnSignals() was given a server; write shutdownOnSignals({ server })')
  }
  if (typeof given !== 'object' || given === null) {
    const hint = typeof given === 'function' ? '; for an application write { server: app.listen(3000) }' : ''
    const what = given === null ? 'null' : `a ${typeof given}`
    throw new TypeError(
      `shutdownOnSignals() was given ${what}; expected options, such as { server }, or nothing${hint}`,
    )
  }
  if (Array.isArray(given) || 'then' in given || 'listen' in given) {
    throw new TypeError(
      `shutdownOnSignals() was given ${kindOfObject(given)}; expected options, such as { server: app.listen(3000) }, or nothing`,
    )
  }
  for (const key of Object.keys(given)) {
    if (OPTIONS.includes(key)) continue
    const near = nearest(key, OPTIONS)
    const help = near ? `did you mean ${near}?` : `known are ${OPTIONS.join(', ')}`
    throw new TypeError(`shutdownOnSignals: unknown option ${JSON.stringify(key.slice(0, 60))}, ${help}`)
  }
}

function kindOfObject(given: object): string {
  if (Array.isArray(given)) return 'an array'
  return 'then' in given ? 'a promise' : 'an application'
}

function serversOf(given: SignalOptions['server']): readonly Server[] {
  if (given === undefined) return []
  if (!isList(given)) {
    assertServer('server', given)
    return [given]
  }
  assertLength('server', given)
  given.forEach((server, index) => {
    assertServer(`server[${index}]`, server)
  })
  return [...given]
}

function isList(given: Server | readonly Server[]): given is readonly Server[] {
  return Array.isArray(given)
}

function millisecondsOf(option: 'timeout' | 'delay', given: unknown, byDefault: number): number {
  if (given === undefined) return byDefault
  if (typeof given === 'number' && given >= 0) return timerMs(given, byDefault)
  const what = typeof given === 'number' ? given : typeof given
  throw new TypeError(`shutdownOnSignals: ${option} was ${what}; expected milliseconds, a number from 0 on`)
}

function assertSignals(given: unknown): void {
  if (!Array.isArray(given)) {
    const what = given === null ? 'null' : typeof given
    throw new TypeError(`shutdownOnSignals: signals was ${what}; expected a list, such as ['SIGTERM']`)
  }
  assertLength('signals', given)
  for (const signal of given) assertHandleable(signal)
}

function assertLength(option: 'server' | 'signals', given: readonly unknown[]): void {
  if (given.length <= MAX_LENGTH) return
  throw new TypeError(
    `shutdownOnSignals: ${option} was a list of ${given.length}; expected at most ${MAX_LENGTH}`,
  )
}

function assertHandleable(signal: unknown): void {
  if (typeof signal === 'string' && Object.hasOwn(constants.signals, signal)) {
    if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') return
    throw new TypeError(`shutdownOnSignals: no process can handle ${signal}; leave it out of signals`)
  }
  const what = typeof signal === 'string' ? JSON.stringify(signal) : `a value of type ${typeof signal}`
  throw new TypeError(`shutdownOnSignals: signals has ${what}; expected names such as 'SIGTERM'`)
}
