import { type CheckState, type EventCheck, type JudgedEvent, quoted, type Say } from './finding.js'

/** Enough events for one of them to need a consent that somebody requires. */
const MOST_EVENTS = 1_000

/** What the check has to know of the configuration. */
export interface ConsentFacts {
  /** Whether a reader of `request.consent` can grant: one that only refuses, as Global Privacy Control's, cannot. */
  readonly canGrant: boolean
  /** The keys of `settings.consent`, which calls carry. */
  readonly carried: readonly string[]
}

/**
 * Finds that consent is required, or carried by every call, and no reader can grant it. In development it also explains the
 * first drop where a reader is there and knows nothing.
 */
export class ConsentReaderCheck implements EventCheck {
  readonly #facts: ConsentFacts
  readonly #say: Say
  readonly #isDevelopment: boolean
  #left = MOST_EVENTS

  constructor(facts: ConsentFacts, say: Say, isDevelopment: boolean) {
    this.#facts = facts
    this.#say = say
    this.#isDevelopment = isDevelopment
  }

  see({ name, scope, dropped, required, consent }: JudgedEvent): CheckState {
    const isRequired = dropped === 'consent' && required !== undefined
    const keys = isRequired ? Object.keys(required) : this.#facts.carried
    const isDecided = keys.some((key) => Object.hasOwn(consent, key))
    if (scope === 'request' && keys.length > 0 && !isDecided) {
      if (!this.#facts.canGrant) return this.#found(isRequired ? dropOf(name, keys) : carriedWithout(keys))
      if (isRequired && this.#isDevelopment) return this.#explain(name, keys)
    }
    // Handlers say what visitors chose, with tracker.consent(): no reader is needed.
    if (!this.#facts.canGrant && Object.values(consent).includes(true)) return 'over'
    return --this.#left > 0 ? 'open' : 'over'
  }

  #found(problem: string): CheckState {
    this.#say({ code: 'REQTRACK_NO_CONSENT_READER', message: `${problem} ${WAY_OUT}` })
    return 'over'
  }

  #explain(name: string, keys: readonly string[]): CheckState {
    const message =
      `the event ${quoted(name)} was dropped (consent): it needs ${keys.join(' or ')}, and nobody knows what this visitor ` +
      'chose. Does request.consent name the reader of your consent manager, such as cookiebot()? ' +
      'This is said once, and in development only.'
    this.#say({ code: 'REQTRACK_NO_CONSENT_READER', message, isError: true })
    return 'over'
  }
}

const WAY_OUT =
  'Name the reader of your consent manager, such as request: { consent: cookiebot() }, or call tracker.consent() ' +
  'where a visitor chooses.'

function dropOf(name: string, keys: readonly string[]): string {
  return (
    `the event ${quoted(name)} was dropped: it needs consent to ${keys.join(' or ')}, and no reader in request.consent ` +
    'can grant that.'
  )
}

function carriedWithout(keys: readonly string[]): string {
  return (
    `settings.consent has every call carry ${keys.join(' and ')}, and no reader in request.consent can grant that: ` +
    'Segment is told that everybody refuses.'
  )
}
