import { createLogger, type Logger } from '@walkeros/core'
import { performance } from './clock.js'
import { isPromise } from './maybe.js'

/** Milliseconds without a message after which the next one gets a line again. */
const BURST_MS = 10_000

/**
 * Makes the logger of a tracking: walkerOS's own, errors only by default. A handler that throws or rejects, and a console
 * that throws, cost their lines: a log line must never cost an event, let alone a response.
 *
 * @param config - Level and handler, as in walkerOS.
 * @param scope - The mark of its lines.
 */
export function openLog(config: Logger.Config | undefined, scope: string): Logger.Instance {
  const handler = config?.handler
  const logger = createLogger(handler ? { ...config, handler: containedHandler(handler) } : config)
  return containedLogger(logger.scope(scope))
}

/** Makes the logger for what has to be seen: its warnings are logged unless the config asks for errors only. */
export function openWarningLog(config: Logger.Config | undefined, scope: string): Logger.Instance {
  return openLog({ ...config, level: config?.level ?? 'WARN' }, scope)
}

/** What a handler throws goes to walkerOS's own handler, with the line that it did not write. */
function containedHandler(handler: Logger.Handler): Logger.Handler {
  return (level, message, context, path, original) => {
    const failed = (error: unknown) =>
      contain(() => original(level, message, { ...context, handlerError: nameOf(error) }, path))
    try {
      const answer: unknown = handler(level, message, context, path, original)
      if (isPromise(answer)) answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

function containedLogger(logger: Logger.Instance): Logger.Instance {
  return {
    error: (message, context) => contain(() => logger.error(message, context)),
    warn: (message, context) => contain(() => logger.warn(message, context)),
    info: (message, context) => contain(() => logger.info(message, context)),
    debug: (message, context) => contain(() => logger.debug(message, context)),
    json: (data) => contain(() => logger.json(data)),
    throw: (message, context) => logger.throw(message, context),
    scope: (name) => containedLogger(logger.scope(name)),
  }
}

function contain(write: () => void): void {
  try {
    write()
  } catch {
    // Nobody is left to tell.
  }
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

/** The name of an error, which unlike its message cannot quote data; also of what only pretends to be one. */
export function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name) : typeof error
  } catch {
    return typeof error
  }
}
