import type { Erasure } from '../../delivery/outbox/outbox.js'

/** The calls of a process, or of a write key. */
export interface Part {
  readonly name: string
  readonly calls: number
  /** Bytes that they take; `undefined` where nobody can tell. */
  readonly bytes: number | undefined
  /** When the oldest was made, in milliseconds since 1970. */
  readonly oldestAt: number | undefined
  readonly writeKeyHashes: readonly string[]
  /** More about it, a line each. */
  readonly notes: readonly string[]
}

/** What an outbox has. */
export interface Look {
  /** What its parts are: `store` or `write key`. */
  readonly partsAre: string
  readonly parts: readonly Part[]
  /** How many of the waiting calls processes have in their hands. */
  readonly held: number
  /** How many were set aside, by reason. */
  readonly aside: ReadonlyMap<string, number>
}

/** How many calls something was done with, and with how many not. */
export interface Done {
  readonly waiting: number
  readonly aside: number
  /** Calls that processes hold: nothing was done with them. */
  readonly held: number
}

/** Calls that were given back, and those that were not. */
export interface Retried {
  readonly waiting: number
  readonly left: number
}

/** An outbox that a command looks at, or changes. */
export interface OutboxTarget {
  look(): Promise<Look>
  /** Every call as a line of JSON. */
  lines(): AsyncGenerator<string>
  /** Gives back what was set aside. */
  retry(): Promise<Retried>
  erase(whose: Erasure): Promise<Done & { readonly people: number | undefined }>
  purge(): Promise<Done>
  close(): Promise<void>
}

/** Counts a call that was set aside. */
export function countAside(aside: Map<string, number>, reason: string, detail: string | undefined): void {
  const why = detail ? `${reason} (${detail})` : reason
  aside.set(why, (aside.get(why) ?? 0) + 1)
}

/** A call as a line of JSON; its parameters are JSON already. */
export function lineOf(head: Readonly<Record<string, unknown>>, params: string): string {
  return `${JSON.stringify(head).slice(0, -1)},"params":${params}}`
}
