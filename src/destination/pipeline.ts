import type { WalkerOS } from '@walkeros/core'
import { after, type Maybe } from '../maybe.js'
import { isRecord } from '../values.js'
import {
  type CallFrame,
  type CallKit,
  type DirectCall,
  type MadeCalls,
  makeDirectCall,
  makeMappedCalls,
  type SegmentContext,
} from './calls.js'
import { isGranted } from './consent.js'
import { Deduplication } from './deduplication.js'
import { type Identity, resolveIdentity } from './identity.js'
import { compileValue, type Evaluate, type MappingScope } from './mapping-value.js'
import {
  applyPolicy,
  type CompiledCalls,
  type CompiledRule,
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

/** Why the destination made no call of an event. */
export type DestinationDropReason = 'consent' | 'identity' | 'ignored'

/** What the destination made of an event: calls, or a reason why there are none. */
export type Processed =
  | (MadeCalls & { readonly dropped?: undefined; readonly rule: string | undefined })
  | {
      readonly dropped: DestinationDropReason
      /** The consent keys of which none was granted, where that is the reason. */
      readonly required?: WalkerOS.Consent
      readonly rule: string | undefined
    }

/** An event and what travels beside it. */
export interface Incoming {
  readonly event: WalkerOS.Event
  /** The call that a tracker's own method asks for; mapping rules do not apply to it. */
  readonly direct?: DirectCall
  /** Segment's `context` as it is known from elsewhere: for this event alone, whose calls make it their own. */
  readonly context?: SegmentContext
  /** Unique for the event, at most 90 characters; each call's messageId is made from it. */
  readonly messageId?: string
}

/** A step on an event's way through the destination, for who watches it. */
export interface DestinationStep {
  readonly step: 'consent' | 'mapping' | 'identity' | 'deduplication'
  readonly outcome: 'passed' | 'dropped'
  readonly reason?: DestinationDropReason
  /** The key of the mapping rule that matched, such as `order complete`. */
  readonly rule?: string
  /** The consent keys of which one has to be granted. */
  readonly required?: WalkerOS.Consent
  readonly identity?: Identity
  /** How many calls were spared. */
  readonly deduplicated?: number
}

/** Is told each step of an event; without one a step costs a check. */
export type ObserveStep = (step: DestinationStep) => void

/** What a pipeline is made from, besides the destination's config. */
export interface PipelineOptions {
  /** What mapping functions are given as collector and logger. */
  readonly scope: Pick<MappingScope, 'collector' | 'logger' | 'plain'>
  /** Whether an event's `data` become the properties of its call where nothing else says what does. */
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

  /** @param config - The destination's config; compiled here, once. */
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
    // That somebody refuses has to be told, whatever they refuse.
    const gated = direct?.type !== 'consent'
    if (gated && !isGranted(this.#consent, event.consent)) return denied(this.#consent, undefined, observe)
    const scope = this.#scopeOf(event)
    return after(applyPolicy(this.#policy, event, scope), (changed) => {
      if (direct) return this.#callsOf(withEvent(incoming, changed), undefined, scope, observe)
      return after(this.#findRule(changed, scope), (match) =>
        this.applyRule(withEvent(incoming, changed), match, observe),
      )
    })
  }

  /** Takes an event on from its mapping rule: for who has passed the gate and picked the rule elsewhere. */
  applyRule(incoming: Incoming, match: Match | undefined, observe?: ObserveStep): Maybe<Processed> {
    if (!match) return this.#callsOf(incoming, undefined, this.#scopeOf(incoming.event), observe)
    const { compiled, key } = match
    const { event } = incoming
    if (!isGranted(compiled.rule.consent, event.consent)) return denied(compiled.rule.consent, key, observe)
    if (compiled.rule.ignore) {
      observe?.({ step: 'mapping', outcome: 'dropped', reason: 'ignored', rule: key })
      return { dropped: 'ignored', rule: key }
    }
    const scope = this.#scopeOf(event)
    return after(applyPolicy(compiled.policy, event, scope), (changed) =>
      this.#callsOf(withEvent(incoming, changed), match, scope, observe),
    )
  }

  #callsOf(
    incoming: Incoming,
    match: Match | undefined,
    { consent, collector, logger, plain }: MappingScope,
    observe: ObserveStep | undefined,
  ): Maybe<Processed> {
    const { event: unnamed, direct } = incoming
    const compiled = match?.compiled
    const rule = match?.key
    const event = compiled?.name === undefined ? unnamed : { ...unnamed, name: compiled.name }
    const scope: MappingScope = { event, consent, collector, logger, plain }
    observe?.({ step: 'consent', outcome: 'passed', required: this.#consent })
    observe?.({ step: 'mapping', outcome: 'passed', rule })

    const readers = { userId: this.#userId, anonymousId: this.#anonymousId }
    return after(resolveIdentity(event, readers, scope), (identity) =>
      after(this.#context?.(event, scope), (mapped) => {
        const frame: CallFrame = {
          event,
          identity,
          context: isRecord(mapped) ? { ...incoming.context, ...mapped } : incoming.context,
          messageId: incoming.messageId,
        }
        if (direct)
          return finish(makeDirectCall(frame, direct, recordOf(event.data), this.#kit), frame, rule, observe)
        const made = after(this.#propertiesOf(event, unnamed, compiled, scope), (properties) => {
          const source = {
            rule: compiled?.calls,
            settings: this.#settings,
            silent: compiled?.silent === true,
            properties,
          }
          return makeMappedCalls(frame, source, this.#kit, scope)
        })
        return after(made, (result) => finish(result, frame, rule, observe))
      }),
    )
  }

  #propertiesOf(
    event: WalkerOS.Event,
    unnamed: WalkerOS.Event,
    compiled: CompiledRule | undefined,
    scope: MappingScope,
  ): Maybe<Record<string, unknown>> {
    if (compiled?.silent) return {}
    return after(produceData(event, unnamed, this.#data, compiled, scope), recordOf)
  }

  #scopeOf(event: WalkerOS.Event): MappingScope {
    const { collector, logger, plain } = this.#options.scope
    return { event, consent: event.consent ?? collector.consent, collector, logger, plain }
  }
}

/** Most events reach the end of a policy unchanged. */
function withEvent(incoming: Incoming, event: WalkerOS.Event): Incoming {
  return event === incoming.event ? incoming : { ...incoming, event }
}

function finish(
  made: MadeCalls | undefined,
  { identity }: CallFrame,
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

/** A key that is `undefined` counts as absent, as everywhere in a config. */
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
