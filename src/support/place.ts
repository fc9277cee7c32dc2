/** A place in code: its stack is written out when it is read. */
export interface Place {
  readonly stack?: string
}

/** The place that a function was called from. */
export function placeBelow(called: (...args: never[]) => unknown): Place {
  const place: { stack?: string } = {}
  Error.captureStackTrace(place, called)
  return place
}

/** The calls that led to a place, the innermost first, one a line. */
export function callsTo({ stack = '' }: Place): string {
  return stack.slice(stack.indexOf('\n') + 1)
}
