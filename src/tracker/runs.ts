import {
  isAsyncFunction,
  isGeneratorFunction,
  isGeneratorObject,
  isPromise as isNativePromise,
} from 'node:util/types'
import type { ContextAdapter } from '../context/ambient.js'
import type { ResumeOptions } from '../model/carried.js'
import type { Sender } from '../model/sender.js'
import type { Tracker } from '../model/tracker.js'
import { isPromise } from '../support/maybe.js'
import { openCarried, readResumeOptions } from './carried.js'
import { kindOf } from './given-kinds.js'
import { type GivenSender, readGivenSender } from './given-sender.js'
import type { Scopes } from './scopes.js'
import { SenderTracker } from './sender-tracker.js'

/** Tracks outside of requests: in jobs, consumers, scripts, sockets. */
export class Runs {
  readonly #scopes: Scopes
  readonly #ambient: ContextAdapter

  constructor(scopes: Scopes, ambient: ContextAdapter) {
    this.#scopes = scopes
    this.#ambient = ambient
  }

  /** Runs work with a tracker of its own: see `Tracking.run`. */
  run<T>(sender: Sender, work: (tracker: Tracker) => T): T {
    assertWork('run', work)
    return this.#run('run', readGivenSender('run', sender), work)
  }

  /** A tracker without an end: see `Tracking.forSender`. */
  forSender(sender: Sender): Tracker {
    return new SenderTracker(this.#scopes, readGivenSender('forSender', sender), 'on')
  }

  /** Runs work for a carried person: see `Tracking.resume`. */
  resume<T>(carried: unknown, work: (tracker: Tracker) => T, options?: ResumeOptions): T {
    assertWork('resume', work)
    const { sender, problem } = openCarried(carried, readResumeOptions(options))
    if (problem !== undefined) {
      this.#scopes.reporter.fault(`resume() goes on with nobody: ${problem}`, new TypeError(problem))
    }
    return this.#run('resume', sender, work)
  }

  #run<T>(method: string, sender: GivenSender, work: (tracker: Tracker) => T): T {
    const scopes = this.#scopes
    const tracker = new SenderTracker(scopes, sender, 'until its end')
    const end = (aborted: boolean): void => {
      scopes.open.ended(tracker)
      scopes.settle(tracker, { status: undefined, aborted })
    }
    scopes.open.began()
    let given: T
    try {
      given = this.#ambient.run(tracker, () => work(tracker))
      if (isGeneratorObject(given)) throw generatorRefused(method)
    } catch (error) {
      end(true)
      throw error
    }
    return endWith(given, isAsyncFunction(work), end)
  }
}

/**
 * Ends a run with its work.
 *
 * The promise of an async function is handed on by another one, so that a rejection that nobody handles is still noticed
 * by Node. A promise that the work has from elsewhere is handed on as it is. Any other thenable may start its work when
 * `then` is called, as queries of databases do, so that it must be called only once.
 */
function endWith<T>(given: T, isOwnPromise: boolean, end: (aborted: boolean) => void): T {
  if (!isPromise<unknown>(given)) {
    end(false)
    return given
  }
  const succeeded = <V>(value: V): V => {
    end(false)
    return value
  }
  const failed = (error: unknown): never => {
    end(true)
    throw error
  }
  if (isNativePromise(given) && !isOwnPromise) {
    given.then(succeeded, failed).catch(() => {})
    return given
  }
  const own: Promise<unknown> = isNativePromise(given) ? given : Promise.resolve(given)
  // A promise of what the work promised: the same to everybody who awaits it.
  return own.then(succeeded, failed) as T
}

function assertWork(method: string, work: unknown): void {
  if (typeof work !== 'function') {
    throw new TypeError(
      `tracking.${method}() was given ${kindOf(work)} as work: expected a function, as in ${method}(…, async (tracker) => { … })`,
    )
  }
  if (isGeneratorFunction(work)) throw generatorRefused(method)
}

function generatorRefused(method: string): TypeError {
  return new TypeError(
    `tracking.${method}() was given a generator: its body would run after the end. Call ${method}() inside of it, or use forSender()`,
  )
}
