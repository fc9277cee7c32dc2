import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { Analytics, type AnalyticsSettings } from '@segment/analytics-node'
import { onTestFinished } from 'vitest'
import {
  createSegmentServer,
  type SegmentServer,
  type SegmentServerOptions,
} from '../../src/testing/index.js'

/** An endpoint that is closed when the test is over. */
export async function openEndpoint(options?: SegmentServerOptions): Promise<SegmentServer> {
  const server = await createSegmentServer(options)
  onTestFinished(() => server.close())
  return server
}

/** Segment's own client, sending every call at once to an endpoint. */
export function openClient(server: SegmentServer, settings: Partial<AnalyticsSettings> = {}): Analytics {
  const analytics = new Analytics({ writeKey: 'test', host: server.url, flushAt: 1, ...settings })
  onTestFinished(() => analytics.closeAndFlush({ timeout: 100 }))
  return analytics
}

export function basic(writeKey: string): string {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
}

export interface Reply {
  status: number
  headers: Headers
  text: string
}

/** Posts a body as it is. */
export async function postBody(
  server: SegmentServer,
  body: string | Buffer,
  init: { path?: string; headers?: Record<string, string>; redirect?: RequestInit['redirect'] } = {},
): Promise<Reply> {
  const { path = '/v1/batch', headers, redirect } = init
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    body,
    headers: { authorization: basic('test'), 'content-type': 'application/json', ...headers },
    redirect,
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Posts calls as one batch. */
export function postCalls(
  server: SegmentServer,
  calls: unknown,
  init?: Parameters<typeof postBody>[2],
): Promise<Reply> {
  return postBody(server, JSON.stringify({ batch: calls, sentAt: '2026-01-02T03:04:05.000Z' }), init)
}

export function track(messageId: string, rest: object = {}): object {
  return { type: 'track', event: 'Order Completed', userId: 'u1', messageId, ...rest }
}

export type Exchange =
  | { status: number; headers: IncomingHttpHeaders; text: string; chunks: number; complete: boolean }
  | { code: string | undefined; syscall?: string | undefined }

/** Posts one track call by `node:http` and tells what the connection did, broken answers included. */
export function exchange(server: SegmentServer, options: RequestOptions = {}): Promise<Exchange> {
  return new Promise((resolve) => {
    const request = httpRequest(
      `${server.url}/v1/batch`,
      { method: 'POST', agent: false, headers: { authorization: basic('test') }, ...options },
      (response) => {
        let text = ''
        let chunks = 0
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
          chunks++
        })
        // A broken answer ends with an error, which 'close' follows.
        response.on('error', () => undefined)
        response.on('close', () => {
          const { statusCode = 0, headers, complete } = response
          resolve({ status: statusCode, headers, text, chunks, complete })
        })
      },
    )
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: error.code, syscall: error.syscall }),
    )
    request.end(JSON.stringify({ batch: [track('m1')] }))
  })
}
