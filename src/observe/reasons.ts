import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'

/** The facts about a dropped event. */
export interface DropCircumstances {
  /** The key of the mapping rule that matched. */
  readonly rule?: string
  /** The consent keys of which one has to be granted. */
  readonly required?: WalkerOS.Consent
  /** The consent that the event came with. */
  readonly consent?: WalkerOS.Consent
  /** The reader that decided each consent key. */
  readonly readers?: Readonly<Record<string, string>>
  /** What the event was tracked in. */
  readonly scope?: 'request' | 'run' | 'sender'
  /** How that ended, such as `status 404` or `an abort`. */
  readonly end?: string
}

/** Explains why an event was dropped, and where that is decided. */
export function explainDrop(reason: DropReason, circumstances: DropCircumstances = {}): string {
  const { rule, scope = 'request', end = 'what it came to' } = circumstances
  switch (reason) {
    case 'consent':
      return explainConsent(circumstances)
    case 'identity':
      return 'nobody to tell about: there is neither a userId nor an anonymousId. No reader of `config.request` gave one, or `settings.userId` and `settings.anonymousId` point elsewhere.'
    case 'ignored':
      return rule === undefined
        ? 'it came to no call.'
        : `the rule \`${rule}\` ignores it, or is silent and its settings came to no call.`
    case 'sampled':
      return rule === undefined
        ? 'its visitor is not in the sample that a rule asks for.'
        : `its visitor is not in the sample that the rule \`${rule}\` asks for.`
    case 'withheld':
      return '`config.beforeSend` withheld its calls: it returned null for them, or failed. The error in the log says how.'
    case 'invalid':
      return 'its name is empty, longer than 255 characters or a walkerOS command, or a method was given what it cannot use. The error in the log says which.'
    case 'too-large':
      return 'its data are larger than the 32 KB that Segment takes for a call. Track less of them, or a reference to them.'
    case 'outcome':
      return `\`config.dispatch\` does not want a ${scope} that ended with ${end}.`
    case 'skipped':
      return 'one of the readers in `config.request.skip` wants nothing of its request.'
    case 'plan':
      return 'it is not as the tracking plan says, which has it dropped.'
    case 'refused':
      return 'a browser sent it, and the options of the collect endpoint do not let browsers track such an event.'
    case 'disabled':
      return 'tracking is turned off by `config.disabled` or `settings.disable`.'
    case 'discarded':
      return 'the handler called `tracker.discard()`.'
    case 'closed':
      return 'it was tracked after the tracking had been shut down.'
    case 'overflow':
      return 'open requests have collected as many events as `config.delivery` lets wait: `maxPending` and `maxBytes` hold for them, too.'
    case 'error':
      return 'something of the application failed on its way, such as the `dispatch` function. The error in the log says what.'
  }
}

const FAILURES: Readonly<Record<FailureReason, string>> = {
  overflow: 'there was no room left for calls that wait.',
  rejected: 'Segment, or its client, refused the call itself.',
  unreachable: 'Segment could not be reached, or answered with errors, until the tries were used up.',
  timeout: 'Segment took too long to answer until the tries were used up.',
  'too-large': 'the call is larger than the 32 KB that Segment takes.',
  expired: 'it waited longer than it may.',
  cancelled:
    'a plugin or listener of the Segment client stopped it, or the client never reported an outcome.',
  damaged: 'the outbox could not give it back.',
  closed: 'the tracking was shut down before it had an outcome.',
}

/**
 * Explains why a call failed.
 *
 * @param detail - The words of Segment, or of the network.
 */
export function explainFailure(reason: FailureReason, detail?: string): string {
  return detail === undefined ? FAILURES[reason] : `${FAILURES[reason]} ${detail}`
}

function explainConsent({ rule, required = {}, consent = {}, readers = {} }: DropCircumstances): string {
  const where = rule === undefined ? '`config.consent`' : `The rule \`${rule}\``
  const said = (choice: boolean) =>
    Object.entries(consent)
      .filter(([, granted]) => granted === choice)
      .map(([key]) => (readers[key] === undefined ? key : `${key} (${readers[key]})`))
  const granted = said(true)
  const refused = said(false)
  const state =
    granted.length + refused.length === 0
      ? 'no reader knows any choice of this visitor, and unknown is not granted'
      : `this visitor has granted ${listed(granted, 'and') || 'nothing'}` +
        (refused.length > 0 ? ` and refused ${listed(refused, 'and')}` : '')
  return `${where} needs ${listed(Object.keys(required), 'or') || 'consent'}; ${state}.`
}

function listed(words: readonly string[], conjunction: string): string {
  const [last = '', ...rest] = [...words].reverse()
  return rest.length === 0 ? last : `${rest.reverse().join(', ')} ${conjunction} ${last}`
}
