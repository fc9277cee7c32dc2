import type { WalkerOS } from '@walkeros/core'
import { type Identity, identityOf, toId } from '../model/identity.js'
import type { DirectCall, Integrations, SegmentContext } from '../model/segment-call.js'
import { isRecord, setMember } from '../model/values.js'
import type { DestinationDropReason, ObserveStep } from '../observe/step.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import {
  type CallFrame,
  type CallKit,
  type MadeCalls,
  type MappedValues,
  makeDirectCall,
  makeMappedCalls,
} from './calls.js'
import { isGranted } from './consent.js'
import { Deduplication } from './deduplication.js'
import { compileValue, type Evaluate, type MappingScope } from './mapping-value.js'
import {
  applyPolicy,
  type CompiledCalls,
  compileCalls,
  compilePolicy,
  compileRules,
  type DataConfig,
  type FindRule,
  type Match,
  type Policy,
  produceData,
} from './rules.js'
import { SETTINGS_DEFAULTS, type SegmentDestinationConfig, type Settings } from './settings.js'

/** The destination's result for an event: calls, or the reason why there are none. */
export type Processed =
  | (MadeCalls & { readonly dropped?: undefined; readonly rule: string | undefined })
  | {
      readonly dropped: DestinationDropReason
      /** The required consent keys, where the reason is that none was granted. */
      readonly required?: WalkerOS.Consent
      readonly rule: string | undefined
    }

/** An event and its companions on the way through the destination. */
export interface Incoming {
  readonly event: WalkerOS.Event
  /** The call of a tracker's own method; mapping rules do not apply to it. */
  readonly direct?: DirectCall
  /** Segment's `context` from elsewhere, such as the request. It belongs to this event alone: its calls take it over. */
  readonly context?: SegmentContext
  /** The globals of the config: what the event has of them lies under the properties of track, page and screen. */
  readonly globals?: Readonly<Record<string, unknown>> | undefined
  /** The event's own, over those of the settings. */
  readonly integrations?: Integrations | undefined
  /** Unique for the event, at most 90 characters; prefix of each call's messageId. */
  readonly messageId?: string
}

/** A pipeline's surroundings: what does not come from the destination's config. */
export interface PipelineOptions {
  /** Collector and logger for mapping functions, and how these are guarded. */
  readonly scope: Pick<MappingScope, 'collector' | 'logger' | 'plain' | 'functions'>
  /** Whether an event's `data` become the properties of its call where no mapping makes them. */
  readonly dataAsProperties: boolean
}

/**
 * The way of an event through the destination:
 * consent gate, policy, mapping rule, identity, de-duplication, calls.
 */
export class Pipeline {
  readonly deduplication = new Deduplication()
  readonly #consent: WalkerOS.Consent | undefined
  readonly #policy: Policy
  readonly #findRule: FindRule
  readonly #data: DataConfig
  readonly #settings: CompiledCalls
  readonly #userId: Evaluate
  readonly #anonymousId: Evaluate
  readonly #context: Evaluate | undefined
  readonly #kit: CallKit
  readonly #options: PipelineOptions

  /** @param config - The destination's config; compiled once, here. */
  constructor(
    config: Omit<SegmentDestinationConfig, 'settings'> & { settings: Partial<Settings> },
    options: PipelineOptions,
  ) {
    const { settings } = config
    this.#options = options
    this.#consent = config.consent
    this.#policy = compilePolicy(config.policy)
    this.#findRule = compileRules(config.mapping)
    this.#data = {
      data: config.data === undefined ? undefined : compileValue(config.data),
      otherwise: options.dataAsProperties ? (event) => event.data : undefined,
      include: config.include,
    }
    this.#settings = compileCalls({ identify: settings.identify, group: settings.group })
    this.#userId = compileValue(settings.userId ?? SETTINGS_DEFAULTS.userId)
    this.#anonymousId = compileValue(settings.anonymousId ?? SETTINGS_DEFAULTS.anonymousId)
    this.#context = settings.context === undefined ? undefined : compileValue(settings.context)
    this.#kit = {
      deduplication: this.deduplication,
      consent: settings.consent && categoriesOf(settings.consent),
      integrations: settings.integrations,
    }
  }

  /** Takes an event the whole way, from the consent gate to its calls. */
  process(incoming: Incoming, observe?: ObserveStep): Maybe<Processed> {
    const { event, direct } = incoming
    // Segment has to be told of a refusal, whatever is refused.
    const gated = direct?.type !== 'consent'
    if (gated && !isGranted(this.#consent, event.consent)) return denied(this.#consent, undefined, observe)
    return this.#policy.length === 0
      ? this.#pickRule(incoming, observe)
      : this.#pickRuleOfChanged(incoming, observe)
  }

  /** Kept separate: `process` would allocate this closure's scope on every call. */
  #pickRuleOfChanged(incoming: Incoming, observe: ObserveStep | undefined): Maybe<Processed> {
    const { event } = incoming
    return after(applyPolicy(this.#policy, event, this.#scopeOf(event)), (changed) =>
      this.#pickRule(withEvent(incoming, changed), observe),
    )
  }

  #pickRule(incoming: Incoming, observe: ObserveStep | undefined): Maybe<Processed> {
    const { event, direct } = incoming
    const scope = this.#scopeOf(event)
    if (direct) return this.#callsOf(incoming, undefined, scope, observe)
    const match = this.#findRule(event, scope)
    return isPromise(match)
      ? this.#applyAwaited(incoming, match, scope, observe)
      : this.#apply(incoming, match, scope, observe)
  }

  /** Kept separate: an async function allocates a promise even if it awaits nothing. */
  async #applyAwaited(
    incoming: Incoming,
    match: Promise<Match | undefined>,
    scope: MappingScope,
    observe: ObserveStep | undefined,
  ): Promise<Processed> {
    return this.#apply(incoming, await match, scope, observe)
  }

  /** Takes an event from its mapping rule to its calls, where the collector has checked consent and picked the rule. */
  applyRule(incoming: Incoming, match: Match | undefined, observe?: ObserveStep): Maybe<Processed> {
    return this.#apply(incoming, match, this.#scopeOf(incoming.event), observe)
  }

  #apply(
    incoming: Incoming,
    match: Match | undefined,
    scope: MappingScope,
    observe: ObserveStep | undefined,
  ): Maybe<Processed> {
    if (!match) return this.#callsOf(incoming, undefined, scope, observe)
    const { compiled, key } = match
    const { event } = incoming
    if (!isGranted(compiled.rule.consent, event.consent)) return denied(compiled.rule.consent, key, observe)
    if (compiled.rule.ignore) {
      observe?.({ step: 'mapping', outcome: 'dropped', reason: 'ignored', rule: key })
      return { dropped: 'ignored', rule: key }
    }
    if (compiled.policy.length === 0) return this.#callsOf(incoming, match, scope, observe)
    return this.#callsOfChanged(incoming, match, scope, observe)
  }

  #callsOfChanged(
    incoming: Incoming,
    match: Match,
    scope: MappingScope,
    observe: ObserveStep | undefined,
  ): Maybe<Processed> {
    return after(applyPolicy(match.compiled.policy, incoming.event, scope), (changed) =>
      this.#callsOf(withEvent(incoming, changed), match, scope, observe),
    )
  }

  #callsOf(
    incoming: Incoming,
    match: Match | undefined,
    ruleScope: MappingScope,
    observe: ObserveStep | undefined,
  ): Maybe<Processed> {
    const { event: unnamed, direct } = incoming
    const compiled = match?.compiled
    const event = compiled?.name === undefined ? unnamed : { ...unnamed, name: compiled.name }
    const scope = ruleScope.event === event ? ruleScope : { ...ruleScope, event }
    observe?.({ step: 'consent', outcome: 'passed', required: this.#consent })
    observe?.({ step: 'mapping', outcome: 'passed', rule: match?.key })

    const globals = globalsOf(event, incoming.globals)
    const values: Values = {
      userId: this.#userId(event, scope),
      anonymousId: this.#anonymousId(event, scope),
      context: this.#context?.(event, scope),
      globals,
      data:
        direct || compiled?.silent
          ? undefined
          : produceData(event, unnamed, this.#data, compiled, scope, globals),
      identify: direct ? undefined : (compiled?.calls.identify ?? this.#settings.identify)?.(event, scope),
      group: direct ? undefined : (compiled?.calls.group ?? this.#settings.group)?.(event, scope),
      page: direct ? undefined : viewOf(compiled?.calls.page, event, scope),
      screen: direct ? undefined : viewOf(compiled?.calls.screen, event, scope),
    }
    return someArePromises(values)
      ? this.#makeAwaited(incoming, event, match, values, observe)
      : this.#make(incoming, event, match, values, observe)
  }

  async #makeAwaited(
    incoming: Incoming,
    event: WalkerOS.Event,
    match: Match | undefined,
    values: Values,
    observe: ObserveStep | undefined,
  ): Promise<Processed> {
    return this.#make(incoming, event, match, await resolved(values), observe)
  }

  #make(
    incoming: Incoming,
    event: WalkerOS.Event,
    match: Match | undefined,
    values: Values,
    observe: ObserveStep | undefined,
  ): Processed {
    const { direct } = incoming
    const { context } = values
    const identity = identityOf(toId(values.userId), toId(values.anonymousId))
    const frame: CallFrame = {
      event,
      identity,
      context: isRecord(context) ? { ...incoming.context, ...context } : incoming.context,
      globals: values.globals,
      integrations: incoming.integrations,
      messageId: incoming.messageId,
    }
    const made = direct
      ? makeDirectCall(frame, direct, recordOf(event.data), this.#kit)
      : makeMappedCalls(frame, values, match?.compiled.silent ? undefined : recordOf(values.data), this.#kit)
    return finish(made, identity, match?.key, observe)
  }

  #scopeOf(event: WalkerOS.Event): MappingScope {
    const { collector, logger, plain, functions } = this.#options.scope
    return { event, consent: event.consent ?? collector.consent, collector, logger, plain, functions }
  }
}

/** Copies only where the policy changed the event, which is rare. */
function withEvent(incoming: Incoming, event: WalkerOS.Event): Incoming {
  return event === incoming.event ? incoming : { ...incoming, event }
}

/** The results of an event's mappings, some of them promises: ids, context, properties, and the calls other than `track()`. */
interface Values extends MappedValues {
  readonly userId: unknown
  readonly anonymousId: unknown
  readonly context: unknown
  readonly globals: Readonly<Record<string, unknown>> | undefined
  readonly data: unknown
}

function someArePromises(values: Values): boolean {
  const { userId, anonymousId, context, data, identify, group, page, screen } = values
  return (
    isPromise(userId) ||
    isPromise(anonymousId) ||
    isPromise(context) ||
    isPromise(data) ||
    isPromise(identify) ||
    isPromise(group) ||
    isPromise(page) ||
    isPromise(screen)
  )
}

async function resolved(values: Values): Promise<Values> {
  const [userId, anonymousId, context, data, identify, group, page, screen] = await Promise.all([
    values.userId,
    values.anonymousId,
    values.context,
    values.data,
    values.identify,
    values.group,
    values.page,
    values.screen,
  ])
  const { globals } = values
  return { userId, anonymousId, context, globals, data, identify, group, page, screen }
}

/** The values that the event has for the names of the config's globals: a handler or a policy may have changed them. */
function globalsOf(
  event: WalkerOS.Event,
  common: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (!common || !isRecord(event.globals)) return undefined
  const globals: Record<string, unknown> = {}
  for (const name of Object.keys(common)) {
    if (Object.hasOwn(event.globals, name)) setMember(globals, name, event.globals[name])
  }
  return globals
}

function viewOf(view: Evaluate | true | undefined, event: WalkerOS.Event, scope: MappingScope): unknown {
  return view === true ? true : view?.(event, scope)
}

function finish(
  made: MadeCalls | undefined,
  identity: Identity,
  rule: string | undefined,
  observe: ObserveStep | undefined,
): Processed {
  if (!made) {
    observe?.({ step: 'identity', outcome: 'dropped', reason: 'identity', rule })
    return { dropped: 'identity', rule }
  }
  const { calls, deduplicated } = made
  observe?.({ step: 'identity', outcome: 'passed', identity })
  observe?.({ step: 'deduplication', outcome: 'passed', deduplicated })
  return calls.length > 0 || deduplicated > 0 ? { calls, deduplicated, rule } : { dropped: 'ignored', rule }
}

/** Leaves out keys that are `undefined`, which count as absent everywhere in a config. */
function categoriesOf(consent: Record<string, string | undefined>): [key: string, category: string][] {
  return Object.entries(consent).flatMap(([key, category]) =>
    category === undefined ? [] : [[key, category]],
  )
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function denied(
  required: WalkerOS.Consent | undefined,
  rule: string | undefined,
  observe: ObserveStep | undefined,
): Processed {
  observe?.({ step: 'consent', outcome: 'dropped', reason: 'consent', required, rule })
  return { dropped: 'consent', required, rule }
}
