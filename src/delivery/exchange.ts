import type { HTTPClient, HTTPClientRequest, HTTPFetchFn, HTTPResponse } from '@segment/analytics-node'

/** What Segment, or what stands in its place, has said to a request. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  /** How long it asks to wait before the next request, in milliseconds. */
  readonly retryAfterMs: number | undefined
}

/** A custom client that overstays is given so much more than its own timeout. */
const GRACE_MS = 1_000

/**
 * Makes one HTTP request and reads its answer to the end: an answer that is not read keeps its connection from being
 * used again.
 *
 * @param custom - The application's own HTTP client or `fetch`. Defaults to Node's `fetch`.
 * @param abort - Ends the request.
 * @throws If there is no whole answer within the request's timeout.
 */
export async function exchange(
  custom: HTTPClient | HTTPFetchFn | undefined,
  request: HTTPClientRequest,
  abort: AbortController,
): Promise<Answer> {
  const isClient = typeof custom === 'object'
  const timeout = setTimeout(
    () => abort.abort(new DOMException('Segment did not answer in time', 'TimeoutError')),
    request.httpRequestTimeout + (isClient ? GRACE_MS : 0),
  )
  // The request keeps the process alive where it is to be kept.
  timeout.unref()
  try {
    const response = await orAborted(
      isClient ? custom.makeRequest(request) : fetchWith(custom ?? fetch, request, abort.signal),
      abort.signal,
    )
    return {
      status: response.status,
      statusText: response.statusText,
      retryAfterMs: retryAfterOf(response.headers),
    }
  } finally {
    clearTimeout(timeout)
  }
}

async function fetchWith(
  fetchFn: HTTPFetchFn | typeof fetch,
  request: HTTPClientRequest,
  signal: AbortSignal,
): Promise<HTTPResponse> {
  const { method, headers, body } = request
  // A redirect that is followed arrives as a GET without a body: Segment would have nothing, and nobody would know.
  const init = { method, headers, body, signal, redirect: 'manual' as const }
  const response = await fetchFn(request.url, init)
  await response.text?.()
  return response
}

/** A `fetch` of the application's own may know nothing of signals. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** Source: RFC 9110, 10.2.3: seconds, or a date, which is by the clock of who answers. */
function retryAfterOf(headers: HTTPResponse['headers']): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const until = Date.parse(text)
  const now = Date.parse(headerOf(headers, 'date') ?? '')
  return Number.isNaN(until) ? undefined : Math.max(0, until - (Number.isNaN(now) ? Date.now() : now))
}

function headerOf(headers: HTTPResponse['headers'], name: string): string | undefined {
  if (!headers) return undefined
  const entries = typeof headers.entries === 'function' ? headers.entries() : Object.entries(headers)
  for (const [key, value] of entries) if (key.toLowerCase() === name) return String(value)
  return undefined
}
