import type { Reply } from './client.js'

/** The consumer group of each stream. */
export const GROUP = 'reqtrack'
/** How many ids a command gets at a time. */
export const IDS_AT_ONCE = 500

/** Parts ids into as many as a command gets. */
export function* chunksOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) yield ids.slice(from, from + IDS_AT_ONCE)
}

/** Whether Redis has answered with an error of a kind. */
export function isError(error: unknown, kind: string): boolean {
  return error instanceof Error && error.message.includes(kind)
}

/** Throws the first error among the replies to a transaction. */
export function throwFirst(replies: readonly Reply[]): void {
  const failure = replies.find((reply) => reply instanceof Error)
  if (failure !== undefined) throw failure
}
