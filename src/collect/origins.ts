import type { TrackedRequest } from '../model/tracked-request.js'

/** Whether a request may send events, and the CORS headers of its answer. */
export interface OriginJudgement {
  readonly isAllowed: boolean
  readonly headers: Readonly<Record<string, string>>
}

const VARIES = { vary: 'Origin' }
/** What walkerOS's sender and analytics.js send beside what every page may. */
const ALLOWED_HEADERS = 'content-type, content-encoding, authorization, traceparent, x-retry-count'
/** Chromium keeps an answer no longer than two hours. */
const PREFLIGHT_SECONDS = '7200'

/**
 * Judges where a request comes from. Its page has to be of the request's own host, whatever the scheme: a proxy may speak
 * TLS for the server. Or the browser says that it is of the same origin, or its origin is named in the options.
 *
 * Source: Fetch, "Origin header" and "CORS protocol"; Fetch Metadata, "Sec-Fetch-Site".
 */
export function judgeOrigin(request: TrackedRequest, named: ReadonlySet<string>): OriginJudgement {
  const { headers } = request
  const origin = originOf(headers.origin)
  const isNamed = origin !== undefined && named.has(origin.origin)
  const isOwn = origin !== undefined && origin.host === request.url.host
  const cors = origin && (isNamed || isOwn) ? corsOf(origin.origin) : VARIES
  if (isNamed) return { isAllowed: true, headers: cors }
  const site = headers['sec-fetch-site']
  if (site === 'cross-site') return { isAllowed: false, headers: VARIES }
  // A page without a referrer policy of its own sends `null`; the browser itself still says where the page is from.
  if (origin === undefined && site === 'same-origin') return { isAllowed: true, headers: VARIES }
  if (headers.origin !== undefined) return { isAllowed: isOwn, headers: cors }
  const referrer = originOf(headers.referer)
  const isAllowed =
    referrer !== undefined && (referrer.host === request.url.host || named.has(referrer.origin))
  return { isAllowed, headers: VARIES }
}

/** The headers that answer a browser's question whether it may send. */
export function preflightHeaders(): Readonly<Record<string, string>> {
  return {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': PREFLIGHT_SECONDS,
  }
}

function corsOf(origin: string): Readonly<Record<string, string>> {
  return {
    ...VARIES,
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'retry-after',
  }
}

function originOf(header: string | undefined): URL | undefined {
  if (header === undefined || !/^https?:\/\//i.test(header)) return undefined
  return URL.canParse(header) ? new URL(header) : undefined
}
