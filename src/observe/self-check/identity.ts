import { type CheckState, type EventCheck, type JudgedEvent, quoted, type Say } from './finding.js'

/** So many events of nobody are no chance: a browser without a cookie, a health check. */
const EVENTS = 100

/** Finds that nobody is ever known; in development with the first event that is dropped for it. */
export class IdentityCheck implements EventCheck {
  readonly #say: Say
  readonly #isDevelopment: boolean
  #seen = 0

  constructor(say: Say, isDevelopment: boolean) {
    this.#say = say
    this.#isDevelopment = isDevelopment
  }

  see({ name, dropped, hasIdentity }: JudgedEvent): CheckState {
    this.#seen++
    if (this.#isDevelopment && dropped === 'identity') return this.#explain(name)
    if (hasIdentity && !this.#isDevelopment) return 'over'
    if (this.#seen < EVENTS) return 'open'
    if (this.#isDevelopment) return 'over'
    const message = `not one of the first ${EVENTS} events had a userId or an anonymousId. ${REASON} ${WAY_OUT}`
    this.#say({ code: 'REQTRACK_NO_IDENTITY', message })
    return 'over'
  }

  #explain(name: string): CheckState {
    const message =
      `the event ${quoted(name)} was dropped (identity): ${REASON} ${WAY_OUT} ` +
      'This is said once, and in development only.'
    this.#say({ code: 'REQTRACK_NO_IDENTITY', message, isError: true })
    return 'over'
  }
}

const REASON =
  'Segment takes no call about nobody, and no reader of request.userId and request.anonymousId knew who it is.'
const WAY_OUT =
  'Sign somebody in, send the cookie ajs_anonymous_id, name a reader that fits, or let segmentCookie({ create }) make ids.'
