import { isGeneratorFunction, isGeneratorObject } from 'node:util/types'
import type { ContextAdapter } from '../context/ambient.js'
import type { ResumeOptions } from '../model/carried.js'
import type { Sender } from '../model/sender.js'
import type { Tracker } from '../model/tracker.js'
import { openCarried, readResumeOptions } from './carried.js'
import { EndlessTracker } from './endless-tracker.js'
import { kindOf } from './given-kinds.js'
import { type GivenSender, readGivenSender } from './given-sender.js'
import { RunTracker } from './run-tracker.js'
import type { Scopes } from './scopes.js'
import { whenDone } from './work-end.js'

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
    return new EndlessTracker(this.#scopes, readGivenSender('forSender', sender))
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
    const ambient = this.#ambient
    const tracker = new RunTracker(this.#scopes, sender, ambient.get())
    this.#scopes.open.began()
    let given: T
    try {
      given = ambient.run(tracker, () => work(tracker))
      if (isGeneratorObject(given)) throw generatorRefused(method)
    } catch (error) {
      this.#end(tracker, true)
      throw error
    }
    return whenDone(given, work, (threw) => this.#end(tracker, threw))
  }

  #end(tracker: RunTracker, aborted: boolean): void {
    const scopes = this.#scopes
    try {
      scopes.open.ended(tracker)
      scopes.settle(tracker, { status: undefined, aborted })
    } catch (error) {
      // What the work gives or throws must reach its caller.
      scopes.reporter.fault('the end of a run could not be handled', error)
    }
  }
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
