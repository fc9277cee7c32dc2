import type { CollectedEvent } from '../model/event.js'
import type { Judgement } from '../model/plan.js'
import type { PersonReading } from '../request/person.js'
import type { Maybe } from '../support/maybe.js'
import type { Place } from '../support/place.js'
import type { EventSender } from './read-sender.js'

/** A collected event and its person, as far as the person was known when it was tracked. */
export interface OpenEvent {
  readonly collected: CollectedEvent
  readonly person: PersonReading
  /** Who sent it, where no end of a scope will tell more. */
  readonly sender: Maybe<EventSender> | undefined
  /** Where it was tracked; only if the host wants to know. */
  readonly place: Place | undefined
  /** What the tracking plan made of it, once it was asked. */
  judgement: Judgement | undefined
}

/** The events that a scope has collected and that are not dispatched yet. */
export class EventList {
  /** How often the list was discarded: tells an event that was taken before a discard from later ones. */
  discards = 0
  #ready: OpenEvent[] = []
  /** Events that could not go early; they wait for the end. */
  #kept: OpenEvent[] = []

  /** How many events are in the list. */
  get size(): number {
    return this.#ready.length + this.#kept.length
  }

  /** How many events there are to dispatch. */
  get readyCount(): number {
    return this.#ready.length
  }

  /** @param position - Whether the event goes before or behind the others. */
  add(open: OpenEvent, position: 'first' | 'last'): void {
    if (position === 'first') this.#ready.unshift(open)
    else this.#ready.push(open)
  }

  /** Puts an event back until {@link retry} is called. */
  keep(open: OpenEvent): void {
    this.#kept.push(open)
  }

  /** Makes kept events ready, before those that came later. */
  retry(): void {
    if (this.#kept.length === 0) return
    this.#ready = [...this.#kept, ...this.#ready]
    this.#kept = []
  }

  /** Hands out ready events and forgets them. */
  take(most: number): OpenEvent[] {
    if (this.#ready.length > most) return this.#ready.splice(0, most)
    const taken = this.#ready
    this.#ready = []
    return taken
  }
}
