/** What an endpoint answers. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** What became of one event, as far as that is known when it is collected. */
export type SentOutcome = 'accepted' | 'refused' | 'invalid' | 'too-large' | 'not collected'

/** A transparent picture of one pixel, for clients that can only load pictures. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
const JSON_TYPE = { ...COMMON, 'content-type': 'application/json; charset=utf-8' }

/** An answer without a body. */
export function empty(headers: Answer['headers'] = {}): Answer {
  return { status: 204, headers: { ...COMMON, ...headers } }
}

/** The picture that a request for one gets, whatever became of its event. */
export function picture(): Answer {
  return { status: 200, headers: { ...COMMON, 'content-type': 'image/gif' }, body: GIF }
}

/** What Segment's own API answers, which analytics.js expects. */
export function success(): Answer {
  return json({ success: true })
}

/** A request that is not taken, with one line that says why. */
export function refusal(status: number, why: string, headers: Answer['headers'] = {}): Answer {
  const text = { ...COMMON, 'content-type': 'text/plain; charset=utf-8' }
  return { status, headers: { ...text, ...headers }, body: `${why}\n` }
}

/** What walkerOS's own endpoint answers for one event. */
export function answerOfOne(outcome: SentOutcome): Answer {
  return json(outcome === 'accepted' ? { success: true } : { success: false, error: outcome })
}

/**
 * What walkerOS's own endpoint answers for a list of events: how many are on their way, and which are not and why.
 *
 * Source: walkerOS, `@walkeros/core`, `batchResponse`; its 207 is a 200 here, since the request itself is done with.
 */
export function answerOfList(outcomes: readonly SentOutcome[]): Answer {
  const errors = outcomes.flatMap((error, index) => (error === 'accepted' ? [] : [{ index, error }]))
  if (errors.length === 0) return json({ success: true, processed: outcomes.length })
  return json({
    success: false,
    processed: outcomes.length - errors.length,
    failed: errors.length,
    errors,
  })
}

function json(body: object): Answer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) }
}
