import type { Mapping } from '@walkeros/core'
import type { PlainJson } from '../model/plain-json.js'
import type { EventName, TrackEvents } from '../model/tracker.js'
import type { Rule } from './rule.js'

/**
 * Mapping rules by entity and action; `*` matches any. In a list the first rule whose condition holds is taken.
 *
 * With {@link TrackEvents} the compiler checks entities and actions, and functions see the data of their events.
 */
export type Rules = keyof TrackEvents extends never ? Mapping.Rules<Rule> : RulesOf<EventName>

type RulesOf<N extends string> = {
  [E in EntityOf<N> | '*']?: RulesOfEntity<NamesOfEntity<N, E>>
}

type RulesOfEntity<N extends string> = {
  [A in ActionOf<N> | '*']?: OneOrMore<Rule<DataOf<NamesOfAction<N, A>>>>
}

type OneOrMore<R> = R | R[]

/** The first word of a name. */
type EntityOf<N extends string> = N extends `${infer E} ${string}` ? E : N

/** All words of a name after the first, and the second word alone, which walkerOS looks up. */
type ActionOf<N extends string> = N extends `${string} ${infer A}` ? A | EntityOf<A> : never

type NamesOfEntity<N extends string, E extends string> = E extends '*'
  ? N
  : N extends E | `${E} ${string}`
    ? N
    : never

type NamesOfAction<N extends string, A extends string> = A extends '*'
  ? N
  : N extends `${string} ${infer Rest}`
    ? Rest extends A | `${A} ${string}`
      ? N
      : never
    : never

type DataOf<N extends string> = N extends keyof TrackEvents ? PlainJson<TrackEvents[N]> : never
