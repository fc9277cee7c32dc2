/** The levels of the log, as walkerOS numbers them: what a `logger.handler` is given first. */
export const Level = { ERROR: 0, WARN: 1, INFO: 2, DEBUG: 3 } as const

/** The names of levels, as most loggers have them. */
export type LevelName = 'error' | 'warn' | 'info' | 'debug'

const NAMES = ['error', 'warn', 'info', 'debug'] as const

/**
 * Names the level of a line, for a handler that passes lines on to a logger of the application.
 *
 * @param level - What a `logger.handler` is given first.
 *
 * @example
 * const logger = { handler: (level, message, context) => log[levelName(level)](context, message) }
 */
export function levelName(level: number): LevelName {
  return NAMES[level] ?? 'error'
}
