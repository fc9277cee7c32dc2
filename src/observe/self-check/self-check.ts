import type { Logger } from '@walkeros/core'
import { type CheckCode, isChecked, type ValidateOption } from './codes.js'
import { type ConsentFacts, ConsentReaderCheck } from './consent-reader.js'
import { CreatedInHandlerCheck } from './created-in-handler.js'
import type { EventCheck, Finding, JudgedEvent, Say } from './finding.js'
import { IdentityCheck } from './identity.js'
import { MappingRulesCheck } from './mapping-rules.js'
import { ReaderAnswersCheck, type ReaderPlace } from './reader-answers.js'
import { type ProxiedRequest, TrustProxyCheck } from './trust-proxy.js'

/** What the checks have to know of a tracking. */
export interface SelfCheckFacts {
  readonly validate: ValidateOption | undefined
  readonly isDevelopment: boolean
  /** Whether the application runs in production without sending anything. */
  readonly isDryInProduction: boolean
  readonly writeKey: string
  /** Whether a request of a tracking runs while this one is made. */
  readonly isInRequest: boolean
  readonly consent: ConsentFacts
  /** Whether calls carry what proxies tell of a request. */
  readonly readsProxies: boolean
  /** The keys of the mapping rules that name one event. */
  readonly rules: readonly string[]
}

const DRY_RUN =
  'config.dryRun is on, with NODE_ENV=production: nothing is sent to Segment, and every call counts as delivered. Remove it.'

/** Where each code is explained, in the package and in the repository. */
const PAGE = 'docs/self-check.md'

/**
 * Looks at the first requests and events for a setup that cannot work, and says so once, in production too. A check that
 * knows enough is removed: what it looked at then costs one comparison.
 */
export class SelfCheck {
  /** Sees requests; `undefined` once it has seen enough. */
  request: ((read: () => ProxiedRequest) => void) | undefined
  /** Sees events; `undefined` once all checks of events have seen enough. */
  event: ((event: JudgedEvent) => void) | undefined
  /** Sees what a reader answered that cannot be used. */
  readonly answer: ((place: ReaderPlace, reader: string, answer: unknown) => void) | undefined
  readonly #logger: Logger.Instance
  readonly #created: CreatedInHandlerCheck | undefined
  #events: readonly EventCheck[]

  constructor(facts: SelfCheckFacts, logger: Logger.Instance) {
    const { validate, isDevelopment, consent, rules, writeKey, isInRequest } = facts
    this.#logger = logger
    const on = <C>(code: CheckCode, make: (say: Say) => C): C | undefined =>
      isChecked(validate, code) ? make((finding) => this.#say(finding)) : undefined
    this.#created = on(
      'REQTRACK_CREATED_IN_HANDLER',
      (say) => new CreatedInHandlerCheck(writeKey, isInRequest, say),
    )
    if (facts.isDryInProduction)
      on('REQTRACK_DRY_RUN', (say) => say({ code: 'REQTRACK_DRY_RUN', message: DRY_RUN }))
    const answers = on('REQTRACK_READER_ANSWER', (say) => new ReaderAnswersCheck(say))
    this.answer = answers && ((place, reader, answer) => answers.see(place, reader, answer))
    const proxies = facts.readsProxies
      ? on('REQTRACK_NO_TRUST_PROXY', (say) => new TrustProxyCheck(say, () => this.#noMoreRequests()))
      : undefined
    if (proxies) this.request = (read) => seen(read, (request) => proxies.see(request))
    this.#events = [
      on('REQTRACK_NO_CONSENT_READER', (say) => new ConsentReaderCheck(consent, say, isDevelopment)),
      on('REQTRACK_NO_IDENTITY', (say) => new IdentityCheck(say, isDevelopment)),
      rules.length > 0
        ? on('REQTRACK_UNMATCHED_RULE', (say) => new MappingRulesCheck(rules, say))
        : undefined,
    ].filter((check) => check !== undefined)
    if (this.#events.length > 0) this.event = (event) => this.#see(event)
  }

  /** The tracking is shut down. */
  closed(): void {
    this.#created?.closed()
  }

  #see(event: JudgedEvent): void {
    this.#events = this.#events.filter((check) => check.see(event) === 'open')
    if (this.#events.length === 0) this.event = undefined
  }

  #noMoreRequests(): void {
    this.request = undefined
  }

  #say({ code, message, isError }: Finding): void {
    const line = `${message} [${code}: see ${PAGE}#${code.toLowerCase()}]`
    if (isError) this.#logger.error(line, { code })
    else this.#logger.warn(line, { code })
  }
}

/** What a framework's settings are asked for may throw. */
function seen(read: () => ProxiedRequest, see: (request: ProxiedRequest) => void): void {
  try {
    see(read())
  } catch {
    // A check costs no request.
  }
}
