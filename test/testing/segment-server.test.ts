import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createSegmentServer, type ReceivedCall, type ReceivedTrack } from '../../src/testing/index.js'
import { basic, exchange, openClient, openEndpoint, postBody, postCalls, track } from './endpoint.js'

test('the real client delivers every type of call, typed by its type', async () => {
  const server = await openEndpoint()
  const analytics = openClient(server, { flushAt: 6 })
  const timestamp = new Date('2026-01-02T03:04:05.678Z')
  analytics.identify({ userId: 'u1', traits: { plan: 'pro' } })
  analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Acme' } })
  analytics.page({ anonymousId: 'a1', category: 'Docs', name: 'Home' })
  analytics.screen({ anonymousId: 'a1', name: 'Cart' })
  analytics.track({
    userId: 'u1',
    event: 'Order Completed',
    properties: { total: 42 },
    timestamp,
    messageId: 'm1',
  })
  analytics.alias({ userId: 'u1', previousId: 'a1' })

  const calls = await server.waitFor(6)
  expect(calls.map((call) => call.type)).toEqual(['identify', 'group', 'page', 'screen', 'track', 'alias'])
  expect(server.calls).toEqual(calls)
  expect(server.received).toBe(6)
  const order: ReceivedTrack = await server.waitFor((call) => call.type === 'track')
  expect(order).toMatchObject({
    event: 'Order Completed',
    userId: 'u1',
    messageId: 'm1',
    properties: { total: 42 },
    timestamp: '2026-01-02T03:04:05.678Z',
    context: { library: { name: '@segment/analytics-node' } },
  })
})

test('a batch tells what its request was', async () => {
  const server = await openEndpoint()
  const analytics = openClient(server, { flushAt: 2 })
  const before = Date.now()
  analytics.track({ userId: 'u1', event: 'A', messageId: 'm1' })
  analytics.track({ userId: 'u1', event: 'B', messageId: 'm2' })
  const calls = await server.waitFor(2)

  expect(server.batches).toHaveLength(1)
  const [batch] = server.batches
  expect(batch).toMatchObject({
    method: 'POST',
    path: '/v1/batch',
    status: 200,
    taken: true,
    messageIds: ['m1', 'm2'],
    retryCount: 0,
    headers: { 'content-type': 'application/json', 'user-agent': 'analytics-node-next/latest' },
  })
  expect(batch?.receivedAt.getTime()).toBeGreaterThanOrEqual(before)
  expect(Date.parse(batch?.sentAt ?? '')).toBeGreaterThanOrEqual(before)
  expect(String(batch?.bytes)).toBe(batch?.headers['content-length'])
  expect(batch?.calls[0]).toBe(calls[0])
  expect(batch?.calls[1]).toBe(calls[1])
})

test('success and refusal are answered with the bodies that Segment uses', async () => {
  const server = await openEndpoint()
  const taken = await postCalls(server, [track('m1')])
  expect([taken.status, JSON.parse(taken.text)]).toEqual([200, { success: true }])
  const refused = await postBody(server, '{')
  expect([refused.status, JSON.parse(refused.text)]).toEqual([
    400,
    { success: false, message: 'the body is not JSON' },
  ])
  expect(refused.headers.get('content-type')).toContain('application/json')
})

test('connections are kept alive', async () => {
  const server = await openEndpoint()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const reused: boolean[] = []
  for (const messageId of ['m1', 'm2', 'm3']) {
    await new Promise<void>((resolve, reject) => {
      const options = { method: 'POST', agent, headers: { authorization: basic('test') } }
      const request = httpRequest(`${server.url}/v1/batch`, options, (response) => {
        reused.push(request.reusedSocket)
        response.resume().on('end', resolve)
      })
      request.on('error', reject)
      request.end(JSON.stringify({ batch: [track(messageId)] }))
    })
  }
  agent.destroy()
  expect(reused).toEqual([false, true, true])
})

test.each([
  ['no authorization', undefined],
  ['an empty key', basic('')],
  ['no colon', `Basic ${Buffer.from('test').toString('base64')}`],
  ['another scheme', 'Bearer test'],
  ['no credentials', 'Basic'],
])('%s is 401', async (_, authorization) => {
  const server = await openEndpoint()
  const headers = authorization === undefined ? {} : { authorization }
  expect(await exchange(server, { headers })).toMatchObject({ status: 401 })
  expect(server.calls).toEqual([])
  expect(server.rejected).toMatchObject([{ status: 401, messageIds: ['m1'] }])
  expect(server.batches).toMatchObject([{ status: 401, taken: false, calls: [], messageIds: ['m1'] }])
})

test('any write key is accepted, or only the one that was given', async () => {
  const open = await openEndpoint()
  expect(
    (await postCalls(open, [track('m1')], { headers: { authorization: basic('whatever') } })).status,
  ).toBe(200)

  const strict = await openEndpoint({ writeKey: 'right' })
  expect(
    (await postCalls(strict, [track('m1')], { headers: { authorization: basic('wrong') } })).status,
  ).toBe(401)
  expect(strict.calls).toEqual([])
  expect(
    (await postCalls(strict, [track('m1')], { headers: { authorization: basic('right') } })).status,
  ).toBe(200)
  expect(strict.received).toBe(1)
})

test('the write key is in no header, report, error or answer', async () => {
  const [right, wrong] = ['key-that-is-right', 'key-that-is-wrong']
  const server = await openEndpoint({ writeKey: right })
  const asked: unknown[] = []
  server.respondWith((request) => {
    asked.push(request)
    return undefined
  })
  const analytics = openClient(server, { writeKey: right })
  analytics.track({ userId: 'u1', event: 'A' })
  await server.waitFor(1)
  const answer = await postCalls(server, [track('m1')], { headers: { authorization: basic(wrong) } })
  const lost = await postCalls(server, [], { path: `/v2/batch?writeKey=${wrong}` })
  const error = await server.waitFor(9, 1).catch(String)
  const said = JSON.stringify([
    server.batches,
    server.rejected,
    server.calls,
    asked,
    answer.text,
    lost.text,
    error,
  ])
  expect(server.batches).toHaveLength(3)
  expect(asked).toHaveLength(2)
  for (const key of [right, wrong]) {
    expect(said).not.toContain(key)
    expect(said).not.toContain(basic(key))
  }
})

test('another path or method is 404 and takes nothing', async () => {
  const server = await openEndpoint()
  expect((await postCalls(server, [track('m1')], { path: '/v1/track' })).status).toBe(404)
  expect((await fetch(`${server.url}/v1/batch`)).status).toBe(404)
  expect(server.received).toBe(0)
  expect(server.batches).toMatchObject([
    { method: 'POST', path: '/v1/track', status: 404 },
    { method: 'GET', path: '/v1/batch', status: 404 },
  ])
  expect(server.rejected).toMatchObject([{ status: 404 }, { status: 404 }])
})

test('a client with a path of its own is served where the endpoint has the same', async () => {
  const server = await openEndpoint({ path: '/proxy/batch' })
  openClient(server, { path: '/proxy/batch' }).track({ userId: 'u1', event: 'A' })
  await server.waitFor(1)
  expect((await postCalls(server, [track('m1')])).status).toBe(404)
})

test('a messageId counts once; its repeats are reported', async () => {
  const server = await openEndpoint()
  await postCalls(server, [track('m1'), track('m2'), track('m1', { event: 'Again' })])
  await postCalls(server, [track('m1'), track('m3')])
  expect(server.calls.map((call) => call.messageId)).toEqual(['m1', 'm2', 'm3'])
  expect(server.calls[0]).toMatchObject({ event: 'Order Completed' })
  expect(server.duplicates).toEqual([{ messageId: 'm1', count: 2 }])
  expect(server.received).toBe(3)
  expect(server.batches.map((batch) => batch.calls.length)).toEqual([3, 2])
})

test('calls without messageId are no duplicates of each other', async () => {
  const server = await openEndpoint()
  const call = { type: 'identify', userId: 'u1' }
  await postCalls(server, [call, { ...call, messageId: null }, { ...call, messageId: '' }, call])
  expect(server.received).toBe(4)
  expect(server.duplicates).toEqual([])
})

test('with record: false calls are counted and not kept', async () => {
  const server = await openEndpoint({ record: false })
  const matching = server.waitFor((call) => call.type === 'track' && call.messageId === 'm2')
  await postCalls(server, [track('m1'), track('m2'), track('m1')])
  expect(await matching).toMatchObject({ messageId: 'm2' })
  expect(server.received).toBe(2)
  expect(await server.waitFor(2)).toEqual([])
  expect([server.calls, server.batches]).toEqual([[], []])
  expect(server.duplicates).toEqual([{ messageId: 'm1', count: 1 }])
  await expect(server.waitFor(3, 1)).rejects.toThrow('2 calls')
})

test('onCall is told each call once, in order', async () => {
  const told: ReceivedCall[] = []
  const server = await openEndpoint({ onCall: (call) => told.push(call) })
  await postCalls(server, [track('m1'), track('m2'), track('m1')])
  await postCalls(server, [track('m2'), { type: 'unknown' }])
  expect(told).toEqual(server.calls)
  expect(told).toHaveLength(2)
})

test('clear forgets what was received, in the lists already held', async () => {
  const server = await openEndpoint()
  const { calls, batches, duplicates, rejected } = server
  await postCalls(server, [track('m1'), track('m1')])
  await postBody(server, '{')
  expect([calls, batches, duplicates, rejected].map((list) => list.length)).toEqual([1, 2, 1, 1])
  server.clear()
  expect([calls, batches, duplicates, rejected].map((list) => list.length)).toEqual([0, 0, 0, 0])
  expect(server.received).toBe(0)
  await postCalls(server, [track('m1')])
  expect(calls).toHaveLength(1)
  expect(duplicates).toEqual([])
})

test('waitFor resolves with a call that came before or comes later', async () => {
  const server = await openEndpoint()
  await postCalls(server, [track('m1')])
  expect(await server.waitFor((call) => call.messageId === 'm1')).toBe(server.calls[0])
  const later = server.waitFor((call) => call.messageId === 'm3')
  const three = server.waitFor(3)
  await postCalls(server, [track('m2'), track('m3'), track('m4')])
  expect(await later).toBe(server.calls[2])
  expect((await three).map((call) => call.messageId)).toEqual(['m1', 'm2', 'm3'])
  expect(await server.waitFor(0)).toEqual([])
})

test('waitFor resolves before the request that brought the call is answered', async () => {
  const server = await openEndpoint()
  server.respondWith({ delay: 60_000 })
  const request = exchange(server)
  await server.waitFor(1)
  expect(server.batches).toMatchObject([{ status: 'pending', taken: true }])
  await server.close()
  expect(await request).toEqual({ code: 'ECONNRESET' })
})

test('waitFor rejects in time, naming types and events and nothing personal', async () => {
  const server = await openEndpoint()
  await expect(server.waitFor(1, 1)).rejects.toThrow('No call has arrived.')
  await postCalls(server, [
    track('m1', { userId: 'alice@example.com', properties: { secret: 's3cret' } }),
    { type: 'identify', userId: 'alice@example.com', traits: { name: 'Alice' } },
    track('m2', { event: 'Ev\u001b[31mil' }),
  ])
  await postCalls(server, [{ type: 'track', event: 'Anonymous' }])
  const error = await server.waitFor((call) => call.type === 'alias', 5).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).toBe(
    'Error: Waited for a call that the predicate accepts, but it did not arrive within 5 ms. ' +
      'Arrived: track "Order Completed", identify, track "Ev\\u{1b}[31mil". ' +
      'Refused: 1 requests, the last with 400: batch[0] has neither userId nor anonymousId; Segment needs one of them.',
  )
})

test('waitFor lists only some of many calls', async () => {
  const server = await openEndpoint()
  await postCalls(
    server,
    Array.from({ length: 30 }, (_, index) => track(`m${index}`)),
  )
  await expect(server.waitFor(31, 1)).rejects.toThrow(/"Order Completed", 10 more\.$/)
})

test('waitFor hands on what the predicate throws, at once and later, and takes only counts', async () => {
  const server = await openEndpoint()
  const broken = () => {
    throw new RangeError('from the predicate')
  }
  const later = expect(server.waitFor(broken)).rejects.toThrow('from the predicate')
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
  await later
  await expect(server.waitFor(broken)).rejects.toThrow('from the predicate')
  await expect(server.waitFor(-1)).rejects.toThrow(TypeError)
  await expect(server.waitFor(Number.NaN)).rejects.toThrow(TypeError)
})

test('waitFor waits for as long as it is told, also without end', async () => {
  const server = await openEndpoint()
  const waiting = server.waitFor(1, Number.POSITIVE_INFINITY)
  await postCalls(server, [track('m1')])
  expect(await waiting).toHaveLength(1)
})

test('stop refuses connections and ends open ones; start comes back on the same port', async () => {
  const server = await openEndpoint()
  server.respondWith([{ hang: true }])
  const hanging = exchange(server)
  await expect.poll(() => server.batches.length).toBe(1)
  await server.stop()
  expect(await hanging).toEqual({ code: 'ECONNRESET' })
  expect(await exchange(server)).toMatchObject({ code: 'ECONNREFUSED' })
  await server.stop()

  const { url } = server
  await Promise.all([server.start(), server.start()])
  expect(server.url).toBe(url)
  expect(await exchange(server)).toMatchObject({ status: 200 })
  expect(server.batches.map((batch) => batch.status)).toEqual(['hang', 200])
})

test('the real client gets over a time without the endpoint', async () => {
  const server = await openEndpoint()
  const analytics = openClient(server, { maxRetries: 3 })
  await server.stop()
  const request = new Promise((resolve) => analytics.once('http_request', resolve))
  analytics.track({ userId: 'u1', event: 'A', messageId: 'm1' })
  await request
  await server.start()
  await server.waitFor(1)
  expect(server.batches[0]?.retryCount).toBeGreaterThan(0)
})

test('start says which port cannot be had', async () => {
  const first = await openEndpoint()
  await expect(createSegmentServer({ port: first.port })).rejects.toThrow(
    `The Segment endpoint cannot listen on 127.0.0.1:${first.port} (EADDRINUSE); use another port`,
  )
  await first.stop()
  const second = await openEndpoint({ port: first.port })
  expect(second.url).toBe(first.url)
  await expect(first.start()).rejects.toThrow('EADDRINUSE')
})

test('close ends waiting and connections, once and for all', async () => {
  const server = await openEndpoint()
  const idle = connect(server.port, '127.0.0.1')
  const ended = new Promise((resolve) => idle.once('close', resolve))
  await new Promise((resolve) => idle.once('connect', resolve))
  await postCalls(server, [track('m1')])
  const waiting = expect(server.waitFor(2)).rejects.toThrow('the endpoint was closed')
  const closing = server.close()
  expect(server.close()).toBe(closing)
  await Promise.all([waiting, closing, ended])
  await expect(server.waitFor(2)).rejects.toThrow('the endpoint was closed')
  await expect(server.start()).rejects.toThrow('closed')
  await server.stop()
  expect(server.calls).toHaveLength(1)
})

test.each([
  [{ port: -1 }, 'port'],
  [{ port: 1.5 }, 'port'],
  [{ port: 65_536 }, 'port'],
  [{ writeKey: '' }, 'writeKey'],
  [{ path: 'v1/batch' }, 'path'],
])('options are checked: %j', async (options, name) => {
  await expect(createSegmentServer(options)).rejects.toThrow(new RegExp(`createSegmentServer: ${name} `))
})

test('it listens on loopback alone', async () => {
  const options: object = { host: '0.0.0.0' }
  await expect(createSegmentServer(options)).rejects.toThrow('host can only be')
  const server = await openEndpoint({ host: 'localhost' })
  expect(server.url).toBe(`http://localhost:${server.port}`)
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
})

test('a request that breaks off is forgotten', async () => {
  const server = await openEndpoint()
  const socket = connect(server.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(
    `POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('test')}\r\ncontent-length: 100\r\n\r\n{"ba`,
  )
  await new Promise((resolve) => socket.resume().once('close', resolve).end())
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
  expect(server.batches).toHaveLength(1)
})
