import http from 'node:http'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { HTTPResponse } from '@segment/analytics-node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { segmentServer, serve } from '../support/servers.js'
import { delivering } from './delivering.js'

/** A body without an end, and how much of it was read. */
function endless() {
  const read = { bytes: 0, isCancelled: false }
  const pieces = async function* () {
    try {
      for (;;) {
        read.bytes += 16_384
        yield Buffer.alloc(16_384, 'x')
        await new Promise(setImmediate)
      }
    } finally {
      read.isCancelled = true
    }
  }
  return { read, pieces }
}

/** A web stream of an implementation that cannot be iterated. */
function withReaderOnly(pieces: AsyncGenerator<Buffer>): object {
  const reader = { read: () => pieces.next(), cancel: () => pieces.return(undefined) }
  return { getReader: () => reader }
}

const BODIES = {
  'a web stream': (pieces: AsyncGenerator<Buffer>) => ReadableStream.from(pieces),
  "a stream of Node's": (pieces: AsyncGenerator<Buffer>) => Readable.from(pieces),
  'a stream that has only a reader': withReaderOnly,
}

describe('an answer without an end', () => {
  describe.each(['a fetch function', 'an HTTP client'])('to %s', (kind) => {
    it.each(Object.entries(BODIES))(
      'as %s is read up to 64 KB, and then cancelled',
      async (_name, bodyOf) => {
        const segment = await segmentServer()
        const { read, pieces } = endless()
        let isFirst = true
        const send = async (url: string, init: RequestInit): Promise<HTTPResponse> => {
          if (!isFirst) return fetch(url, init)
          isFirst = false
          return Object.assign({ status: 200, statusText: 'OK' }, { body: bodyOf(pieces()) })
        }
        const { tracking, trackMany } = await delivering(segment, {
          settings: {
            httpClient:
              kind === 'a fetch function'
                ? (url, init) => send(url, init)
                : { makeRequest: ({ url, method, headers, body }) => send(url, { method, headers, body }) },
          },
        })
        await trackMany(3)
        await tracking.flush({ timeout: 10_000 })
        expect(read.bytes).toBeLessThan(300_000)
        await vi.waitUntil(() => read.isCancelled)
        expect(tracking.stats().calls).toMatchObject({ delivered: 3, pending: 0 })
      },
    )
  })

  it.each([
    ['', undefined],
    [', by fetch', fetch],
  ] as const)('does not fill the memory when a few bytes expand to it%s', async (_name, httpClient) => {
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024))
    const { url } = await serve((req, res) => {
      req.resume().on('end', () => res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    })
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { host: url, httpClient } })
    let peak = 0
    const before = process.memoryUsage().rss
    const watching = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before)
    }, 5)
    await trackMany(3)
    await vi.waitUntil(() => tracking.health().lastError !== undefined)
    clearInterval(watching)
    expect(tracking.health().lastError).toBe('the answer was longer than 64 KB')
    expect(peak).toBeLessThan(100 * 1024 * 1024)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['no status', { statusText: 'OK' }],
    ['a status that is none', { status: Number.NaN, statusText: '' }],
    ['a body that throws', { status: 200, statusText: '', text: () => Promise.reject(new Error('boom')) }],
  ])('counts as none when an HTTP client returns %s', async (_name, answer) => {
    const segment = await segmentServer()
    const makeRequest = vi.fn(async () => answer as unknown as HTTPResponse)
    const { tracking, trackMany } = await delivering(segment, { settings: { httpClient: { makeRequest } } })
    await trackMany(3)
    await vi.waitUntil(() => tracking.health().state === 'retrying')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(makeRequest.mock.calls.length).toBeLessThanOrEqual(3)
    expect(tracking.stats().calls).toMatchObject({ delivered: 0, pending: 3 })
  })
})

describe('the host', () => {
  it.each([
    ['/segment', undefined, '/segment/v1/batch'],
    ['/segment/', undefined, '/segment/v1/batch'],
    ['/a/b', '/v1/b', '/a/b/v1/b'],
    ['', '/v1/b', '/v1/b'],
    ['/', undefined, '/v1/batch'],
    ['/segment?tenant=1', undefined, '/segment/v1/batch?tenant=1'],
  ])('%s and the path %s make %s', async (prefix, path, expected) => {
    const urls: string[] = []
    const { url } = await serve((req, res) => {
      urls.push(req.url ?? '')
      req.resume().on('end', () => res.end('{}'))
    })
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { host: url + prefix, path } })
    await trackMany(1)
    await tracking.flush()
    expect(urls).toEqual([expected])
  })
})

it('http.request is looked up for each request, so that a library can replace it in tests', async () => {
  const segment = await segmentServer()
  const { tracking, trackMany } = await delivering(segment)
  await trackMany(1)
  await tracking.flush()
  const replaced = vi.spyOn(http, 'request')
  onTestFinished(() => replaced.mockRestore())
  await trackMany(1)
  await tracking.flush()
  expect(replaced).toHaveBeenCalledOnce()
  expect(segment.received).toBe(2)
})
