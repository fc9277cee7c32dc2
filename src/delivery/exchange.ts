import type { HTTPClient, HTTPClientRequest, HTTPFetchFn, HTTPResponse } from '@segment/analytics-node'
import { clearTimeout, setTimeout } from '../support/clock.js'
import { readAnswer } from './http-answer.js'

/** The part of an HTTP answer that decides what happens next. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  /** Milliseconds that the answer asks to wait before the next request. */
  readonly retryAfterMs: number | undefined
  /** The server's time in milliseconds since 1970, if the answer tells it. */
  readonly date: number | undefined
  readonly text: string
}

/** Extra time for a custom client, which enforces the timeout itself. */
const GRACE_MS = 1_000

/**
 * Makes one HTTP request and reads its answer to the end: a connection whose answer is not read cannot be used again.
 *
 * @param custom - The application's own HTTP client or `fetch`. Defaults to Node's `fetch`.
 * @param abort - Ends the request.
 * @throws If there is no whole answer within the request's timeout, or it is longer than 64 KB.
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
    return await orAborted(answerTo(custom ?? fetch, request, abort.signal), abort.signal)
  } finally {
    clearTimeout(timeout)
  }
}

async function answerTo(
  custom: HTTPClient | HTTPFetchFn | typeof fetch,
  request: HTTPClientRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { url, method, headers, body } = request
  const response = await (typeof custom === 'object'
    ? custom.makeRequest(request)
    : // A followed redirect becomes a GET without a body: it would succeed and deliver nothing.
      custom(url, { method, headers, body, signal, redirect: 'manual' as const }))
  if (!Number.isInteger(response?.status))
    throw new Error('the HTTP client returned no response with a status')
  return {
    status: response.status,
    statusText: String(response.statusText ?? ''),
    retryAfterMs: retryAfterOf(response.headers),
    date: dateOf(response.headers),
    text: await readAnswer(response),
  }
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
  return Number.isNaN(until) ? undefined : Math.max(0, until - (dateOf(headers) ?? Date.now()))
}

function dateOf(headers: HTTPResponse['headers']): number | undefined {
  const date = Date.parse(headerOf(headers, 'date') ?? '')
  return Number.isNaN(date) ? undefined : date
}

function headerOf(headers: HTTPResponse['headers'], name: string): string | undefined {
  if (!headers) return undefined
  const entries = typeof headers.entries === 'function' ? headers.entries() : Object.entries(headers)
  for (const [key, value] of entries) if (key.toLowerCase() === name) return String(value)
  return undefined
}
