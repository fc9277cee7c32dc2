import { expect, test } from 'vitest'
import type { Fault, FaultRequest } from '../../src/testing/index.js'
import { exchange, openClient, openEndpoint, postBody, postCalls, track } from './endpoint.js'

test('a status is answered with Segment’s body until the script ends, and takes nothing', async () => {
  const server = await openEndpoint()
  server.respondWith({ status: 503 })
  for (let request = 0; request < 3; request++) {
    const { status, text } = await postCalls(server, [track('m1')])
    expect([status, JSON.parse(text)]).toEqual([503, { success: false, message: 'Service Unavailable' }])
  }
  expect(server.received).toBe(0)
  expect(server.rejected).toEqual([])
  expect(server.batches).toMatchObject([{ status: 503, taken: false, messageIds: ['m1'] }, {}, {}])
  expect(server.batches[0]?.calls).toHaveLength(1)

  server.respondWith('ok')
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
  server.respondWith({ status: 500 })
  server.respondWith()
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
  expect(server.duplicates).toEqual([{ messageId: 'm1', count: 1 }])
})

test('a status comes with headers, Retry-After and a body of its own', async () => {
  const server = await openEndpoint()
  server.respondWith([
    { status: 429, retryAfter: 7, headers: { 'X-RateLimit-Reset': '9' } },
    { status: 429, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
    { status: 502, body: '<html>', headers: { 'Content-Type': 'text/html' } },
    { status: 400, body: { code: 'no_user_anon_id' } },
    { status: 204 },
    { status: 200, body: 'x'.repeat(200_000) },
  ])
  const limited = await postCalls(server, [track('m1')])
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7'])
  expect(limited.headers.get('x-ratelimit-reset')).toBe('9')
  expect((await postCalls(server, [track('m1')])).headers.get('retry-after')).toBe(
    'Wed, 21 Oct 2026 07:28:00 GMT',
  )
  const html = await postCalls(server, [track('m1')])
  expect([html.status, html.text, html.headers.get('content-type')]).toEqual([502, '<html>', 'text/html'])
  const json = await postCalls(server, [track('m1')])
  expect([json.status, JSON.parse(json.text)]).toEqual([400, { code: 'no_user_anon_id' }])
  expect(server.received).toBe(0)
  const empty = await postCalls(server, [track('m1')])
  expect([empty.status, empty.text, empty.headers.get('content-length')]).toEqual([204, '', null])
  expect((await postCalls(server, [track('m2')])).text).toHaveLength(200_000)
  expect(server.received).toBe(2)
})

test('a list is used up one request each, repeated by times, then all is normal', async () => {
  const server = await openEndpoint()
  server.respondWith([{ status: 503, times: 2 }, 'ok', { status: 500 }])
  const statuses: number[] = []
  for (let request = 0; request < 6; request++) {
    statuses.push((await postCalls(server, [track(`m${request}`)])).status)
  }
  expect(statuses).toEqual([503, 503, 200, 500, 200, 200])
})

test('one fault with times ends by itself', async () => {
  const server = await openEndpoint()
  server.respondWith({ status: 503, times: 1 })
  expect((await postCalls(server, [track('m1')])).status).toBe(503)
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
})

test('a script stands as it was given', async () => {
  const server = await openEndpoint()
  const faults: Fault[] = [{ status: 503 }]
  server.respondWith(faults)
  faults.push({ status: 500 })
  expect((await postCalls(server, [track('m1')])).status).toBe(503)
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
})

test('a function decides about each request to the batch path', async () => {
  const server = await openEndpoint()
  const asked: FaultRequest[] = []
  server.respondWith((request) => {
    asked.push(request)
    return request.messageIds.includes('poison') ? { status: 400 } : undefined
  })
  expect((await postCalls(server, [track('m1')], { headers: { 'x-retry-count': '3' } })).status).toBe(200)
  expect((await postCalls(server, [], { path: '/elsewhere' })).status).toBe(404)
  expect((await postCalls(server, [track('m2'), track('poison')])).status).toBe(400)
  expect(asked.map(({ index, messageIds }) => ({ index, messageIds }))).toEqual([
    { index: 0, messageIds: ['m1'] },
    { index: 1, messageIds: ['m2', 'poison'] },
  ])
  expect(Object.keys(asked[0] ?? {}).sort()).toEqual(['headers', 'index', 'messageIds'])
  expect(asked[0]?.headers).toMatchObject({ 'x-retry-count': '3' })
  expect(asked[0]?.headers).not.toHaveProperty('authorization')
  expect(server.batches[0]?.retryCount).toBe(3)
})

test('a delay comes before the normal answer or before a fault', async () => {
  const server = await openEndpoint()
  server.respondWith([{ delay: 60 }, { delay: 60, status: 503 }, { delay: 60, reset: true }])
  for (const expected of [{ status: 200 }, { status: 503 }, { code: 'ECONNRESET' }]) {
    const started = performance.now()
    expect(await exchange(server)).toMatchObject(expected)
    // Timers may fire up to a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(58)
  }
  expect(server.batches.map(({ status, taken }) => [status, taken])).toEqual([
    [200, true],
    [503, false],
    ['reset', false],
  ])
})

test('a delayed answer that the client does not wait for is aborted', async () => {
  const server = await openEndpoint()
  server.respondWith([{ delay: 60_000 }])
  const controller = new AbortController()
  const request = exchange(server, { signal: controller.signal })
  await server.waitFor(1)
  controller.abort()
  expect(await request).toEqual({ code: 'ABORT_ERR' })
  await expect.poll(() => server.batches[0]?.status).toBe('aborted')
})

test('a reset is one, and the calls are taken only where told', async () => {
  const server = await openEndpoint()
  // A connection that merely ended would be told without the system call.
  const reset = { code: 'ECONNRESET', syscall: 'read' }
  server.respondWith([{ reset: true }, { reset: true, record: true }])
  expect(await exchange(server)).toEqual(reset)
  expect(server.received).toBe(0)
  expect(await exchange(server)).toEqual(reset)
  expect(server.received).toBe(1)
  expect(server.batches.map(({ status, taken }) => [status, taken])).toEqual([
    ['reset', false],
    ['reset', true],
  ])
})

test('record says for every fault whether the calls are taken', async () => {
  const server = await openEndpoint()
  server.respondWith([
    { status: 503, record: true },
    { delay: 1, record: false },
    { status: 200, record: false },
  ])
  expect((await postCalls(server, [track('m1')])).status).toBe(503)
  expect((await postCalls(server, [track('m2')])).status).toBe(200)
  expect((await postCalls(server, [track('m3')])).status).toBe(200)
  expect(server.calls.map((call) => call.messageId)).toEqual(['m1'])
})

test('a half answer has its head and half of its body', async () => {
  const server = await openEndpoint()
  server.respondWith([{ half: true }, { half: true, status: 503, body: 'abcdef' }])
  const full = '{"success":true}'
  expect(await exchange(server)).toMatchObject({
    status: 200,
    text: full.slice(0, full.length / 2),
    complete: false,
  })
  expect(await exchange(server)).toMatchObject({ status: 503, text: 'abc', complete: false })
  expect(server.batches.map(({ status, taken }) => [status, taken])).toEqual([
    ['half', false],
    ['half', false],
  ])
})

test('a hanging request gets no answer until the endpoint closes', async () => {
  const server = await openEndpoint()
  server.respondWith({ hang: true, record: true })
  const request = exchange(server)
  await server.waitFor(1)
  expect(server.batches).toMatchObject([{ status: 'hang', taken: true }])
  const first = await Promise.race([request, new Promise((resolve) => setTimeout(resolve, 100, 'nothing'))])
  expect(first).toBe('nothing')
  await server.close()
  expect(await request).toEqual({ code: 'ECONNRESET' })
})

test('a dripped answer arrives whole, byte by byte', async () => {
  const server = await openEndpoint()
  server.respondWith([{ drip: 1 }, { drip: 1, status: 503, body: 'slow' }])
  const started = performance.now()
  const answer = await exchange(server)
  expect(answer).toMatchObject({ status: 200, text: '{"success":true}', complete: true })
  // Head and body are well over a hundred bytes, at a millisecond each.
  expect(performance.now() - started).toBeGreaterThan(100)
  expect('chunks' in answer && answer.chunks).toBeGreaterThan(4)
  expect(await exchange(server)).toMatchObject({ status: 503, text: 'slow', complete: true })
  expect(server.batches.map(({ status, taken }) => [status, taken])).toEqual([
    [200, true],
    [503, false],
  ])
})

test('a dripping answer ends with its connection', async () => {
  const server = await openEndpoint()
  server.respondWith({ drip: 1000 })
  const controller = new AbortController()
  const request = exchange(server, { signal: controller.signal })
  await server.waitFor(1)
  controller.abort()
  await request
  await expect.poll(() => server.batches[0]?.status).toBe('aborted')
})

test.each([301, 302, 307, 308])('%i redirects to where it is told', async (status) => {
  const [server, target] = await Promise.all([openEndpoint(), openEndpoint()])
  server.respondWith({ redirect: `${target.url}/v1/batch`, status })
  const answer = await postCalls(server, [track('m1')], { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([status, `${target.url}/v1/batch`])
  expect(server.batches).toMatchObject([{ status, taken: false }])

  // Fetch drops authorization on another origin, so that only what it asks for shows.
  await postCalls(server, [track('m1')])
  const { method, bytes } = target.batches[0] ?? {}
  expect([method, (bytes ?? 0) > 0]).toEqual(status < 303 ? ['GET', false] : ['POST', true])
})

test('a redirect is 302 unless told otherwise', async () => {
  const server = await openEndpoint()
  server.respondWith({ redirect: '/v1/elsewhere' })
  expect((await postCalls(server, [track('m1')], { redirect: 'manual' })).status).toBe(302)
})

test('what is refused by Segment’s rules is refused under a delay, too', async () => {
  const server = await openEndpoint()
  server.respondWith([{ delay: 1, record: true }, { status: 503 }])
  expect((await postBody(server, '{')).status).toBe(400)
  expect(server.rejected).toHaveLength(1)
  expect((await postBody(server, '{')).status).toBe(503)
  expect(server.rejected).toHaveLength(1)
  expect(server.received).toBe(0)
})

test.each<[object, string]>([
  [{ stauts: 503 }, 'stauts is unknown'],
  [{ status: '503' }, 'status is 503; expected an integer from 200 to 599'],
  [{ status: 199 }, 'status is 199'],
  [{ status: 600 }, 'status is 600'],
  [{ status: 200.5 }, 'status is 200.5'],
  [{ redirect: '/', status: 303 }, 'status is 303; expected 301, 302, 307, 308'],
  [{ redirect: true }, 'redirect is true'],
  [{ reset: true, hang: true }, 'reset and hang exclude each other'],
  [{ half: true, drip: 1 }, 'half and drip exclude each other'],
  [{ reset: true, status: 503 }, 'reset answers nothing, so it cannot have status'],
  [{ hang: 1 }, 'hang is 1; expected true'],
  [{ delay: -1 }, 'delay is -1'],
  [{ delay: Number.NaN }, 'delay is NaN'],
  [{ drip: 0 }, 'drip is 0'],
  [{ times: 0 }, 'times is 0'],
  [{ record: 'yes' }, 'record is yes'],
  [{ body: 7 }, 'body is 7'],
  [{ headers: ['a'] }, 'headers is a'],
])('a mistyped fault is refused where it is given: %j', async (fault, message) => {
  const server = await openEndpoint()
  server.respondWith({ status: 503 })
  expect(() => server.respondWith(fault)).toThrow(message)
  expect(() => server.respondWith([{ status: 500 }, fault])).toThrow(message)
  expect((await postCalls(server, [track('m1')])).status).toBe(503)
})

test('headers that cannot be sent are refused where they are given', async () => {
  const server = await openEndpoint()
  expect(() => server.respondWith({ status: 503, headers: { 'a b': 'c' } })).toThrow(TypeError)
  expect(() => server.respondWith({ status: 503, headers: { a: 'b\r\nc: d' } })).toThrow(TypeError)
  expect(() => server.respondWith({ redirect: '/\r\nc: d' })).toThrow(TypeError)
  expect(() => server.respondWith({ status: 429, retryAfter: '1\r\n' })).toThrow(TypeError)
})

test('the real client retries a 503 and sends the same message', async () => {
  const server = await openEndpoint()
  server.respondWith([{ status: 503 }])
  openClient(server).track({ userId: 'u1', event: 'A', messageId: 'm1' })
  await server.waitFor(1)
  expect(
    server.batches.map(({ status, retryCount, messageIds }) => [status, retryCount, messageIds]),
  ).toEqual([
    [503, 0, ['m1']],
    [200, 1, ['m1']],
  ])
  expect(server.duplicates).toEqual([])
})

test('the real client waits for Retry-After', async () => {
  const server = await openEndpoint()
  server.respondWith([{ status: 429, retryAfter: 1 }])
  openClient(server, { maxRetries: 0 }).track({ userId: 'u1', event: 'A' })
  await server.waitFor(1)
  const [first, second] = server.batches
  expect(Number(second?.receivedAt) - Number(first?.receivedAt)).toBeGreaterThan(900)
})

test('an answer lost after Segment took the calls shows as a duplicate', async () => {
  const server = await openEndpoint()
  server.respondWith([{ reset: true, record: true }])
  const analytics = openClient(server)
  const delivered = new Promise((resolve) => analytics.once('track', resolve))
  analytics.track({ userId: 'u1', event: 'A', messageId: 'm1' })
  await delivered
  expect(server.received).toBe(1)
  expect(server.duplicates).toEqual([{ messageId: 'm1', count: 1 }])
})

test('the real client gives up on a hanging endpoint after its timeout', async () => {
  const server = await openEndpoint()
  server.respondWith({ hang: true })
  const analytics = openClient(server, { httpRequestTimeout: 50, maxRetries: 0 })
  const failed = new Promise((resolve) => analytics.once('error', resolve))
  analytics.track({ userId: 'u1', event: 'A' })
  expect(await failed).toMatchObject({ code: 'delivery_failure' })
  expect(server.batches).toMatchObject([{ status: 'hang', taken: false }])
})
