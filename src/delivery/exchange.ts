import type { HTTPClient, HTTPClientRequest, HTTPFetchFn, HTTPResponse } from '@segment/analytics-node'

/** The part of an HTTP answer that decides what happens next. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  /** Milliseconds that the answer asks to wait before the next request. */
  readonly retryAfterMs: number | undefined
}

/** Extra time for a custom client, which enforces the timeout itself. */
const GRACE_MS = 1_000

/**
 * Makes one HTTP request and reads its answer to the end: a connection whose answer is not read cannot be used again.
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
  // The request's socket decides whether the process stays alive.
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
  // A followed redirect becomes a GET without a body: it would succeed and deliver nothing.
  const init = { method, headers, body, signal, redirect: 'manual' as const }
  const response = await fetchFn(request.url, init)
  await response.text?.()
  return response
}

/** Rejects when the signal aborts, since the application's own `fetch` may ignore signals. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** Source: RFC 9110, 10.2.3: seconds, or a date by the server's clock. */
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
