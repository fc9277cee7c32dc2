import { createLogger, type Logger } from '@walkeros/core'
import { isPromise } from './maybe.js'

/** Milliseconds without a message after which the next one gets a line again. */
const BURST_MS = 10_000

/**
 * Makes the logger of a tracking: walkerOS's own, errors only by default. A handler that throws or rejects is contained,
 * because a log line must never cost an event, let alone a response.
 *
 * @param config - Level and handler, as in walkerOS.
 * @param scope - The mark of its lines.
 */
export function openLog(config: Logger.Config | undefined, scope: string): Logger.Instance {
  const handler = config?.handler
  if (!handler) return createLogger(config).scope(scope)
  const contained: Logger.Handler = (level, message, context, path, original) => {
    const failed = (error: unknown) =>
      original(level, message, { ...context, handlerError: nameOf(error) }, path)
    try {
      const answer: unknown = handler(level, message, context, path, original)
      if (isPromise(answer)) answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
  return createLogger({ ...config, handler: contained }).scope(scope)
}

/**
 * Writes a repeated message once per burst: the first at once, the next after ten seconds without one. The next line
 * counts the messages that were held back.
 */
export class Burst {
  readonly #say: (message: string, context: Record<string, unknown>) => void
  #last = Number.NEGATIVE_INFINITY
  #held = 0

  /** @param say - Writes the line. */
  constructor(say: (message: string, context: Record<string, unknown>) => void) {
    this.#say = say
  }

  /** Writes the line, or counts it if its burst has its line already. */
  say(message: string, context: Record<string, unknown> = {}): void {
    const now = performance.now()
    const quiet = now - this.#last >= BURST_MS
    this.#last = now
    if (!quiet) {
      this.#held++
      return
    }
    const more = this.#held > 0 ? { before: this.#held } : {}
    this.#held = 0
    this.#say(message, { ...context, ...more })
  }
}

/** The name of an error, which unlike its message cannot quote data. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
