import type { Destination, WalkerOS } from '@walkeros/core'
import { Client, createClient, type OutcomeListener } from '../delivery/index.js'
import { Burst, nameOf } from '../support/log.js'
import { after, all, isPromise, type Maybe } from '../support/maybe.js'
import { optionOf } from '../support/option.js'
import { randomId } from '../support/random-id.js'
import { Pipeline } from './pipeline.js'
import type { Processed } from './processed.js'
import type { Rule } from './rule.js'
import { type CompiledRule, compileRule } from './rules.js'
import { clientSettings, type Types } from './settings.js'

/** Milliseconds for closing. A collector gives a destination five seconds. */
const CLOSE_TIMEOUT_MS = 4_500
/** What walkerOS's own destination gives its client. */
const PREDECESSOR_TIMEOUT_MS = 5_000

type Config = Destination.Config<Types>
type Context = Destination.Context<Types>
type PushContext = Destination.PushContext<Types>

/**
 * The Segment destination for walkerOS's own collector on a server.
 *
 * It takes the documented settings and mapping. Each registration has one client, gets its calls without waiting for
 * them, and is flushed when the collector shuts down.
 *
 * @example
 * import { startFlow } from '@walkeros/collector'
 * import { destinationSegment } from 'reqtrack/destination'
 *
 * const { elb } = await startFlow({
 *   destinations: { segment: { code: destinationSegment, config: { settings: { writeKey: 'KEY' } } } },
 * })
 * await elb('order complete', { total: 42 })
 */
export const destinationSegment = {
  type: 'segment',

  config: {},

  /**
   * Makes the client.
   *
   * @throws If `settings.writeKey` is missing or empty.
   */
  init(context: Context): Config {
    const known = initialised.get(context.config)
    if (known) return known
    // The copied settings identify this registration: registrations may share the destination object.
    const config = { ...context.config, settings: { ...context.config.settings } }
    registrations.set(config.settings, new Registration(context))
    initialised.set(context.config, config)
    return config
  },

  /** Turns an event into calls and hands them to the client. */
  push(event: WalkerOS.Event, context: PushContext): Maybe<void> {
    return registrationOf(context).push(event, context.rule, context)
  },

  /** Pushes each entry of a batch with its own rule, and reports the entries that failed. */
  pushBatch(
    batch: Destination.Batch<Types['mapping']>,
    context: Destination.PushBatchContext<Types>,
  ): Maybe<Destination.BatchOutcome> {
    const registration = registrationOf(context)
    const failed: Destination.BatchFailure[] = []
    const pushed = batch.entries.map((entry, index) => {
      const fail = (error: unknown) => {
        failed.push({ index, error })
      }
      try {
        const work = registration.push(entry.event, entry.rule, context)
        return isPromise(work) ? work.catch(fail) : work
      } catch (error) {
        return fail(error)
      }
    })
    return after(all(pushed), () => ({ failed }))
  },

  /** Sends the remaining calls and closes the client. */
  async destroy({ config }: { config: Config }): Promise<void> {
    const { settings } = config
    if (!settings) return
    const registration = registrations.get(settings)
    await (registration ? registration.close() : closePredecessor(settings))
  },
} satisfies Destination.Instance<Types>

/** Closes the client that walkerOS's own destination keeps in its settings: a collector may have begun with that one. */
async function closePredecessor(settings: object): Promise<void> {
  const client = optionOf(settings, '_analytics')
  const close = optionOf(client, 'closeAndFlush')
  if (typeof close === 'function') await Reflect.apply(close, client, [{ timeout: PREDECESSOR_TIMEOUT_MS }])
}

const initialised = new WeakMap<Config, Config>()
const registrations = new WeakMap<object, Registration>()

/** A collector configured with `init: true` skips `init()`; its client is made with the first event. */
function registrationOf(context: Context): Registration {
  const key = context.config.settings ?? context.config
  const known = registrations.get(key)
  if (known) return known
  const made = new Registration(context)
  registrations.set(key, made)
  return made
}

/** One registration of the destination in a collector: its client, its compiled rules, and its memory of people. */
class Registration {
  readonly #client: Client
  readonly #pipeline: Pipeline
  readonly #messageIds: boolean
  readonly #rules = new WeakMap<Rule, CompiledRule>()
  readonly #undelivered: Burst
  readonly #unidentified: Burst

  constructor({ config, env, collector, logger, reportError }: Context) {
    const settings = config.settings ?? {}
    const sdkSettings = clientSettings(settings)
    this.#messageIds = settings.messageId === true
    this.#pipeline = new Pipeline(
      {
        settings: { ...settings, writeKey: sdkSettings.writeKey },
        data: config.data,
        include: config.include,
      },
      { scope: { collector, logger, plain: false }, dataAsProperties: false },
    )
    this.#undelivered = new Burst((message, details) => {
      logger.error(message, details)
      reportError?.(new Error(message))
    })
    this.#unidentified = new Burst((message, details) => logger.error(message, details))
    const outcomes: OutcomeListener = {
      delivered: () => {},
      failed: (call, reason) => {
        const identity = { userId: call.userId ?? undefined, anonymousId: call.anonymousId ?? undefined }
        const { local } = this.#pipeline.people
        if (call.type === 'identify') local.forgetCall(identity)
        if (call.type === 'group') local.forgetCall(identity, call.groupId)
        this.#undelivered.say('a call was not delivered to Segment', {
          type: call.type,
          reason: messageOf(reason),
        })
      },
    }
    this.#client = env.analytics
      ? Client.around(env.analytics, outcomes)
      : createClient(sdkSettings, outcomes)
  }

  push(event: WalkerOS.Event, rule: Rule | undefined, { logger }: Context): Maybe<void> {
    const match = rule && { key: `${event.entity} ${event.action}`, compiled: this.#compiled(rule) }
    const messageId = this.#messageIds ? randomId() : undefined
    return after(this.#pipeline.applyRule({ event, messageId }, match), (processed) => {
      if (processed.dropped === undefined) return this.#handOver(processed)
      if (processed.dropped === 'identity') {
        this.#unidentified.say(
          'an event was dropped: neither settings.userId nor settings.anonymousId gave an id, ' +
            'and Segment refuses calls without one',
          { event: event.name },
        )
      } else {
        logger.debug(`an event was dropped: ${processed.dropped}`, { event: event.name })
      }
    })
  }

  close(): Promise<void> {
    return this.#client.close(CLOSE_TIMEOUT_MS)
  }

  #handOver({ calls }: Extract<Processed, { dropped?: undefined }>): void {
    for (const call of calls) {
      try {
        this.#client.call(call)
      } catch (error) {
        this.#pipeline.people.forget(call.remembered)
        throw error
      }
    }
  }

  /** Leaves out policy and condition: the collector has applied both. */
  #compiled(rule: Rule): CompiledRule {
    const known = this.#rules.get(rule)
    if (known) return known
    const compiled = compileRule({ ...rule, policy: undefined, condition: undefined })
    this.#rules.set(rule, compiled)
    return compiled
  }
}

function messageOf(reason: unknown): string {
  try {
    return reason instanceof Error ? String(reason.message) : nameOf(reason)
  } catch {
    return nameOf(reason)
  }
}
