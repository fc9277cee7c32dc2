import { AsyncResource } from 'node:async_hooks'
import type { WalkerOS } from '@walkeros/core'
import type { Carried, CarryOptions } from '../model/carried.js'
import { readChoices } from '../model/consent.js'
import { type CollectedEvent, collectEvent, type GivenEvent, type PartialEvent } from '../model/event.js'
import { type Identity, unfitId } from '../model/identity.js'
import { collectPerson } from '../model/person.js'
import type { DirectCall } from '../model/segment-call.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import type { Track, Tracker } from '../model/tracker.js'
import { isRecord } from '../model/values.js'
import { knownIdentity } from '../request/person.js'
import { makeDetachable, self } from '../support/detachable.js'
import { optionOf, timeoutOf } from '../support/option.js'
import { placeBelow } from '../support/place.js'
import { carryAll, carryKnown } from './carrying.js'
import type { OpenEvent } from './event-list.js'
import { expectedId, kindOf } from './given-kinds.js'
import {
  type AskedCall,
  type Misuse,
  readAlias,
  readGroup,
  readIdentify,
  readView,
  trackedEvent,
} from './method-arguments.js'
import { Scope } from './scope.js'

/** The tracker of a scope: the methods that the application's code calls. They return at once, and never throw. */
export abstract class ScopeTracker extends Scope implements Tracker {
  readonly [self] = this
  #track: Track | undefined

  get track(): Track {
    const tracker = this[self]
    // Bound, since a closure for every request makes a server measurably slower on Node 24.
    tracker.#track ??= tracker.#trackGiven.bind(tracker)
    return tracker.#track
  }

  identify(...given: readonly unknown[]): void {
    this.#ask(() => readIdentify(given), methods.identify)
  }

  group(...given: readonly unknown[]): void {
    this.#ask(() => readGroup(given), methods.group)
  }

  page(...given: readonly unknown[]): void {
    this.#ask(() => readView('page', given), methods.page)
  }

  screen(...given: readonly unknown[]): void {
    this.#ask(() => readView('screen', given), methods.screen)
  }

  alias(...given: readonly unknown[]): void {
    this.#ask(() => readAlias(given), methods.alias)
  }

  user(user: WalkerOS.User): void {
    const problem = problemOfUser(user)
    const { reporter } = this.host
    if (problem !== undefined) return reporter.misused(`tracker.user() was given ${problem}`, methods.user)
    const { person, problems } = collectPerson(user, this.override)
    for (const each of problems) reporter.misused(`tracker.user(): ${each}`, methods.user)
    this.override = person
    this.retryKept()
  }

  consent(state: WalkerOS.Consent): void {
    if (!isRecord(state)) {
      this.host.reporter.misused(
        `tracker.consent() was given ${kindOf(state)}: expected an object such as { marketing: true }`,
        methods.consent,
      )
      return
    }
    const before = this.chosen
    const { choices: chosen, problem } = readChoices(state)
    if (problem !== undefined) this.host.reporter.misused(`tracker.consent(): ${problem}`, methods.consent)
    this.chosen = { ...before, ...chosen }
    this.retryKept()
    if (this.outcome) this.host.chosen(this, chosen, before)
    else this.createAnonymousId()
  }

  waitUntil(work: Promise<unknown>): void {
    if (typeof work === 'object' && work !== null) this.host.working(work)
    else
      this.host.reporter.misused(
        `tracker.waitUntil() was given ${kindOf(work)}: expected a promise, such as what an async function returns`,
        methods.waitUntil,
      )
  }

  discard(): void {
    this.discardEvents()
  }

  carry(options?: CarryOptions & { wait?: false }): Carried
  carry(options: CarryOptions & { wait: true }): Promise<Carried>
  carry(options?: CarryOptions & { wait?: boolean }): Carried | Promise<Carried> {
    const wait = optionOf(options, 'wait')
    const context = optionOf(options, 'context') !== false
    const { reporter } = this.host
    const carry = () =>
      wait === true ? carryAll(this, context, reporter) : carryKnown(this, context, reporter)
    // While the scope is open its own code calls, in a context that may know more than when it last tracked.
    return this.outcome ? this.inScope(carry) : carry()
  }

  flush(options?: TimeoutOptions): Promise<void> {
    this.retryKept()
    return this.host.flush(this, timeoutOf(options))
  }

  get identity(): Identity {
    return knownIdentity(this[self].readPerson())
  }

  /** Tells Segment that the visitor's choice has changed. */
  consentUpdated(): void {
    this.collect({ name: 'consent update' }, { type: 'consent' }, methods.consent)
  }

  #trackGiven(given: unknown, data?: object, event?: PartialEvent): void {
    let whole: GivenEvent
    try {
      whole = trackedEvent(given, data, event)
    } catch (error) {
      return this.#unreadable(error)
    }
    this.collect(whole, undefined, this.#trackGiven)
  }

  /** Collects what a method other than `track` asks for. */
  #ask(read: () => AskedCall | Misuse, caller: Caller): void {
    let asked: AskedCall | Misuse
    try {
      asked = read()
    } catch (error) {
      return this.#unreadable(error)
    }
    if ('misuse' in asked) this.#misused(asked.misuse, caller)
    else this.collect(asked.event, asked.direct, caller)
  }

  /** What was tracked throws when it is looked into. */
  #unreadable(error: unknown): void {
    this.host.events.tracked()
    this.host.events.unreadable(this.number, {}, error)
  }

  #misused(problem: string, caller: Caller): void {
    const { events, reporter } = this.host
    events.tracked()
    reporter.misused(problem, caller)
    events.refused(this.number, {}, 'invalid')
  }

  /** @param position - Whether the event goes before or behind what was tracked already. */
  protected collect(
    given: GivenEvent,
    direct: DirectCall | undefined,
    caller: Caller,
    position: 'first' | 'last' = 'last',
  ): void {
    const host = this.host
    try {
      host.events.tracked()
      const { refusal } = host.events
      if (refusal) return host.events.refused(this.number, given, refusal)
      const collected = this.#prepare(given, direct, caller)
      if (!collected) return
      this.hold(collected, caller, position)
    } catch (error) {
      host.events.unreadable(this.number, given, error)
    }
  }

  /** Takes a collected event into the scope's list, with who tracks it. */
  protected hold(collected: CollectedEvent, caller: Caller, position: 'first' | 'last'): void {
    const host = this.host
    const hasEnded = this.outcome !== undefined
    if (!hasEnded) this.context = new AsyncResource('reqtrack')
    // After the end it may be a listener that tracks: under pipelining it runs in another request's context.
    const person = hasEnded ? this.inScope((tracker) => tracker.whoTracks()) : this.whoTracks()
    const open: OpenEvent = {
      collected,
      person,
      sender: this.readEventSender(person),
      place: host.keepsPlaces ? placeBelow(caller) : undefined,
      judgement: undefined,
    }
    this.addEvent(open, position)
    if (hasEnded) host.ready(this)
  }

  #prepare(given: GivenEvent, direct: DirectCall | undefined, caller: Caller): CollectedEvent | undefined {
    const host = this.host
    const collected = collectEvent(given, direct, host.reporter)
    if ('refused' in collected) {
      if (collected.refused === 'invalid') host.reporter.misused(collected.problem, caller)
      else host.reporter.incomplete(collected.name ?? '', collected.problem)
      host.events.refused(this.number, given, collected.refused)
      return undefined
    }
    if (!host.events.hasRoomFor(collected)) {
      host.events.refused(this.number, given, 'overflow')
      return undefined
    }
    // The address is kept from here on: after the end the connection no longer knows it.
    this.keepNetwork()
    return collected
  }
}

/** The method that the application called: where it did so is shown in development. */
export type Caller = (...args: never[]) => unknown

const methods = ScopeTracker.prototype
makeDetachable(methods, [
  'identify',
  'group',
  'page',
  'screen',
  'alias',
  'user',
  'consent',
  'waitUntil',
  'discard',
  'carry',
  'flush',
])

/** A person without a usable id would be taken for the request's own. */
function problemOfUser(user: unknown): string | undefined {
  try {
    if (!isRecord(user)) return `${kindOf(user)}: expected an object such as { id: 'u-1' }`
    const key = unfitId(user)
    return key === undefined ? undefined : `user.${key} as ${expectedId(user[key])}, or no ${key} at all`
  } catch {
    return `an object that throws when it is read: expected an object such as { id: 'u-1' }`
  }
}
