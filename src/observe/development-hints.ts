import type { DroppedEvent, DropReason } from '../model/drop.js'
import { isRecord } from '../model/values.js'

const MAX_NAME_LENGTH = 60

/**
 * Explains the first dropped event of a kind in development, where a missing part of the setup is the likely cause: no
 * reader knows who it is, or what they agreed to. A visitor's refusal gets no hint, and no hint quotes a visitor.
 */
export class DevelopmentHints {
  readonly #say: (message: string) => void
  readonly #said = new Set<DropReason>()

  /** @param say - Writes one line. */
  constructor(say: (message: string) => void) {
    this.#say = say
  }

  /** An event was dropped. */
  dropped(dropped: DroppedEvent): void {
    const { event, reason } = dropped
    if (this.#said.has(reason)) return
    const hint = hintOf(dropped)
    if (hint === undefined) return
    this.#said.add(reason)
    const name = JSON.stringify((event.name ?? '').slice(0, MAX_NAME_LENGTH))
    this.#say(
      `the event ${name} was dropped (${reason}): ${hint} This is said once, and in development only.`,
    )
  }
}

function hintOf({ event, reason, required = {} }: DroppedEvent): string | undefined {
  switch (reason) {
    case 'identity':
      return (
        'Segment takes no call about nobody, and no reader of request.userId and request.anonymousId knew who it is. ' +
        'Sign somebody in, send the cookie ajs_anonymous_id, name a reader that fits, or let segmentCookie({ create }) make ids.'
      )
    case 'consent': {
      const keys = Object.keys(required)
      const consent = isRecord(event.consent) ? event.consent : {}
      if (keys.some((key) => Object.hasOwn(consent, key))) return undefined
      return (
        `it needs ${keys.join(' or ')}, and nobody knows what this visitor chose. Name the reader of your consent ` +
        'manager in request.consent, such as cookiebot(), or call tracker.consent() where a visitor chooses.'
      )
    }
    default:
      return undefined
  }
}
