import type { WalkerOS } from '@walkeros/core'
import { type Identity, identityOf, toId } from '../model/identity.js'
import { isRecord } from '../model/values.js'
import type { ObserveStep } from '../observe/step.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import { type BeforeSend, CallFilter } from './before-send.js'
import { type CallFrame, type CallKit, type MadeCalls, makeDirectCall, makeMappedCalls } from './calls.js'
import { categoriesOf, isGranted } from './consent.js'
import { type DataConfig, produceData } from './event-data.js'
import { type Incoming, withEvent } from './incoming.js'
import { globalsOf, resolved, someArePromises, type Values, viewOf, visitorOf } from './mapped-values.js'
import { compileValue, type Evaluate, type MappingScope } from './mapping-value.js'
import { People } from './people.js'
import { denied, finish, ignored, type Processed, sampledOut } from './processed.js'
import {
  applyPolicy,
  type CompiledCalls,
  compileCalls,
  compilePolicy,
  compileRules,
  type FindRule,
  type Match,
  type Policy,
} from './rules.js'
import { isInSample, withSampling } from './sampling.js'
import { SETTINGS_DEFAULTS, type SegmentDestinationConfig, type Settings } from './settings.js'

/** A pipeline's surroundings: what does not come from the destination's config. */
export interface PipelineOptions {
  /** Collector and logger for mapping functions, and how these are guarded. */
  readonly scope: Pick<MappingScope, 'collector' | 'logger' | 'plain' | 'functions'>
  /** Whether an event's `data` become the properties of its call where no mapping makes them. */
  readonly dataAsProperties: boolean
  /** See every call before it leaves the destination. */
  readonly beforeSend?: readonly BeforeSend[]
  /** Who was identified and grouped. Defaults to what this pipeline itself remembers. */
  readonly people?: People | undefined
}

/**
 * The way of an event through the destination:
 * consent gate, policy, mapping rule, identity, de-duplication, calls.
 */
export class Pipeline {
  readonly people: People
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
  readonly #filter: CallFilter | undefined

  /** @param config - The destination's config; compiled once, here. */
  constructor(
    config: Omit<SegmentDestinationConfig, 'settings'> & { settings: Partial<Settings> },
    options: PipelineOptions,
  ) {
    const { settings } = config
    this.#options = options
    const { beforeSend = [], scope, people = new People() } = options
    this.people = people
    if (beforeSend.length > 0 && scope.functions) this.#filter = new CallFilter(beforeSend, scope.functions)
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
      deduplication: people.local,
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
    if (compiled.rule.ignore) return ignored(key, observe)
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
  ): Maybe<Processed> {
    const { direct } = incoming
    const identity = identityOf(toId(values.userId), toId(values.anonymousId))
    const rate = match?.compiled.sample
    const visitor = rate === undefined ? undefined : visitorOf(identity, values)
    if (match && rate !== undefined && visitor !== undefined && !isInSample(visitor, rate))
      return sampledOut(match.key, observe)
    const context = isRecord(values.context) ? { ...incoming.context, ...values.context } : incoming.context
    const frame: CallFrame = {
      event,
      identity,
      context: rate === undefined ? context : withSampling(context, rate),
      globals: values.globals,
      integrations: incoming.integrations,
      messageId: incoming.messageId,
    }
    const made = direct
      ? makeDirectCall(frame, direct, recordOf(event.data), this.#kit)
      : makeMappedCalls(frame, values, match?.compiled.silent ? undefined : recordOf(values.data), this.#kit)
    const settled = this.people.settle(made, direct !== undefined)
    return isPromise(settled)
      ? this.#finishAsked(incoming, identity, match, settled, observe)
      : this.#finish(incoming, identity, match, settled, observe)
  }

  async #finishAsked(
    incoming: Incoming,
    identity: Identity,
    match: Match | undefined,
    settled: Promise<MadeCalls | undefined>,
    observe: ObserveStep | undefined,
  ): Promise<Processed> {
    return this.#finish(incoming, identity, match, await settled, observe)
  }

  #finish(
    incoming: Incoming,
    identity: Identity,
    match: Match | undefined,
    made: MadeCalls | undefined,
    observe: ObserveStep | undefined,
  ): Maybe<Processed> {
    const processed = finish(made, identity, match?.key, observe)
    return this.#filter ? this.#send(this.#filter, processed, incoming.event) : processed
  }

  /** Takes the calls of an event through `beforeSend`, and forgets people whom Segment is not told about after all. */
  #send(filter: CallFilter, processed: Processed, event: WalkerOS.Event): Maybe<Processed> {
    if (processed.dropped !== undefined || processed.calls.length === 0) return processed
    return after(filter.filter(processed.calls, event), (answers) => {
      const calls = answers.filter((call) => call !== undefined)
      const withheld = answers.length - calls.length
      for (const [index, answer] of answers.entries()) {
        if (!answer) this.people.forget(processed.calls[index]?.remembered)
      }
      const { deduplicated, rule } = processed
      return calls.length > 0
        ? { calls, deduplicated, withheld, rule }
        : { dropped: 'withheld', deduplicated, withheld, rule }
    })
  }

  #scopeOf(event: WalkerOS.Event): MappingScope {
    const { collector, logger, plain, functions } = this.#options.scope
    return { event, consent: event.consent ?? collector.consent, collector, logger, plain, functions }
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}
