import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openEndpoint, postBody, postCalls, track } from './endpoint.js'

const KB = 1024

test.each([
  ['malformed JSON', '{"batch":[', 'the body is not JSON'],
  ['no body', '', 'the body is not JSON'],
  ['JSON that is no object', '[]', 'the body has no array "batch"'],
  ['no batch', '{}', 'the body has no array "batch"'],
  ['a batch that is no array', '{"batch":{"length":1}}', 'the body has no array "batch"'],
])('%s is 400', async (_, body, reason) => {
  const server = await openEndpoint()
  const { status, text } = await postBody(server, body)
  expect(status).toBe(400)
  expect(JSON.parse(text)).toEqual({ success: false, message: reason })
  expect(server.rejected).toEqual([{ status: 400, reason, messageIds: [] }])
  expect(server.batches).toMatchObject([{ status: 400, taken: false, bytes: body.length }])
})

const person = { userId: 'u1' }
test.each([
  ['no object', 'text', 'is not an object'],
  ['null', null, 'is not an object'],
  ['a list', [], 'is not an object'],
  ['no type', person, 'has no type; expected track, identify, group, page, screen or alias'],
  ['an unknown type', { type: 'purchase', ...person }, 'has an unknown type'],
  ['a type of Object.prototype', { type: 'constructor', ...person }, 'has an unknown type'],
  ['track without ids', { type: 'track', event: 'A' }, 'has neither userId nor anonymousId'],
  ['identify without ids', { type: 'identify' }, 'has neither userId nor anonymousId'],
  ['group without ids', { type: 'group', groupId: 'g1' }, 'has neither userId nor anonymousId'],
  ['page without ids', { type: 'page' }, 'has neither userId nor anonymousId'],
  ['screen without ids', { type: 'screen' }, 'has neither userId nor anonymousId'],
  ['empty ids', { type: 'identify', userId: '', anonymousId: '' }, 'has neither userId nor anonymousId'],
  ['null ids', { type: 'identify', userId: null, anonymousId: null }, 'has neither userId nor anonymousId'],
  ['a numeric id', { type: 'identify', userId: 7 }, 'has a userId of type number; expected a string'],
  ['track without event', { type: 'track', ...person }, '(track) has no event'],
  ['track with an empty event', { type: 'track', event: '', ...person }, '(track) has no event'],
  ['group without groupId', { type: 'group', ...person }, '(group) has no groupId'],
  ['alias without userId', { type: 'alias', anonymousId: 'a1', previousId: 'p1' }, '(alias) has no userId'],
  ['alias without previousId', { type: 'alias', ...person }, '(alias) has no previousId'],
  [
    'properties as a list',
    { type: 'track', event: 'A', properties: [], ...person },
    'has properties of type array',
  ],
  [
    'traits as text',
    { type: 'identify', traits: 'x', ...person },
    'has traits of type string; expected an object',
  ],
  [
    'a long messageId',
    { type: 'identify', messageId: 'm'.repeat(101), ...person },
    'has a messageId of more than 100',
  ],
])('%s: nothing of the batch is taken', async (_, call, reason) => {
  const server = await openEndpoint()
  const { status, text } = await postCalls(server, [track('m1'), call, track('m3')])
  expect(status).toBe(400)
  expect(JSON.parse(text).message).toContain(`batch[1] ${reason}`)
  expect(server.calls).toEqual([])
  expect(server.received).toBe(0)
  expect(server.rejected).toHaveLength(1)
  expect(server.rejected[0]?.messageIds).toEqual(expect.arrayContaining(['m1', 'm3']))
  expect((await postCalls(server, [track('m1'), track('m3')])).status).toBe(200)
  expect(server.duplicates).toEqual([])
})

test.each([
  ['either id', { type: 'identify', anonymousId: 'a1' }],
  ['null beside the other id', { type: 'identify', userId: null, anonymousId: 'a1' }],
  ['null for what is absent', { type: 'page', userId: 'u1', name: null, properties: null, context: null }],
  ['a messageId of 100 characters', { type: 'identify', userId: 'u1', messageId: 'm'.repeat(100) }],
  ['members that nobody knows', { type: 'screen', userId: 'u1', extra: [1], ['__proto__']: { type: 'x' } }],
])('%s is accepted', async (_, call) => {
  const server = await openEndpoint()
  expect((await postCalls(server, [call])).status).toBe(200)
  expect(server.calls).toEqual([call])
})

test('an empty batch is accepted', async () => {
  const server = await openEndpoint()
  expect((await postCalls(server, [])).status).toBe(200)
  expect(server.batches).toMatchObject([{ status: 200, calls: [] }])
})

test('2500 calls are accepted, one more is 400', async () => {
  const server = await openEndpoint()
  const calls = Array.from({ length: 2501 }, () => ({ type: 'identify', userId: 'u1' }))
  expect((await postCalls(server, calls.slice(1))).status).toBe(200)
  const { status, text } = await postCalls(server, calls)
  expect([status, JSON.parse(text).message]).toEqual([
    400,
    'the batch has 2501 calls; Segment takes 2500: send fewer at once',
  ])
  expect(server.received).toBe(2500)
})

test.each(['a', 'é', '€', '😀', '"', '\n', '\u0000'])(
  'a call may have 32 KB of real bytes and no more, in %j',
  async (character) => {
    const server = await openEndpoint()
    const call = (fill: string) => track('m1', { properties: { fill } })
    const size = (value: object) => Buffer.byteLength(JSON.stringify(value))
    const each = size([character]) - size([''])
    const room = 32 * KB - size(call(''))
    const full = character.repeat(Math.floor(room / each)) + 'a'.repeat(room % each)
    expect(size(call(full))).toBe(32 * KB)
    expect((await postCalls(server, [call(full)])).status).toBe(200)
    const over = await postCalls(server, [track('m0'), call(`${full}a`)])
    expect([over.status, JSON.parse(over.text).message]).toEqual([
      400,
      'batch[1] is larger than 32768 bytes (32 KB), the most that Segment takes',
    ])
  },
)

test('a body may have 500 KB of real bytes and no more', async () => {
  const server = await openEndpoint()
  const batch = Array.from({ length: 20 }, (_, index) =>
    track(`m${index}`, { properties: { fill: 'é'.repeat(12_000) } }),
  )
  const body = JSON.stringify({ batch })
  const room = 500 * KB - Buffer.byteLength(body)
  expect(body.length).toBeLessThan(Buffer.byteLength(body))
  expect((await postBody(server, body + ' '.repeat(room))).status).toBe(200)
  server.clear()
  const { status, text } = await postBody(server, body + ' '.repeat(room + 1))
  expect([status, JSON.parse(text).message]).toEqual([
    400,
    'the batch has 512001 bytes; Segment takes 512000 (500 KB): send less at once',
  ])
  expect(server.calls).toEqual([])
  expect(server.rejected[0]?.messageIds).toHaveLength(20)
})

test('a body of many megabytes is 400 and the connection lives on', async () => {
  const server = await openEndpoint()
  const { status } = await postBody(server, Buffer.alloc(20 * KB * KB, 'x'))
  expect(status).toBe(400)
  expect(server.batches).toMatchObject([{ status: 400, bytes: 20 * KB * KB, messageIds: [] }])
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
})

test('calls nested without end are 400', async () => {
  const server = await openEndpoint()
  const depth = 200_000
  const nested = `{"batch":[{"type":"identify","userId":"u1","traits":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}]}`
  expect((await postBody(server, nested)).status).toBe(400)
  expect((await postCalls(server, [track('m1')])).status).toBe(200)
})

test('whatever is posted, it is taken whole or refused with a reason', async () => {
  const server = await openEndpoint()
  const member = fc.oneof(
    fc.constantFrom('u1', 'track', 'alias', 'page', '', null),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const call = fc.dictionary(
    fc.constantFrom('type', 'userId', 'anonymousId', 'event', 'groupId', 'previousId', 'traits', '__proto__'),
    member,
  )
  const batch = fc.array(fc.oneof({ weight: 4, arbitrary: call }, { weight: 1, arbitrary: fc.jsonValue() }))
  let [taken, refused] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.oneof(batch, fc.jsonValue()), async (calls) => {
      const { status, text } = await postCalls(server, calls)
      const answer: unknown = JSON.parse(text)
      if (status === 200) {
        expect(answer).toEqual({ success: true })
        taken += Array.isArray(calls) ? calls.length : Number.NaN
      } else {
        expect(status).toBe(400)
        expect(answer).toEqual({ success: false, message: expect.any(String) })
        refused++
      }
      expect(server.received).toBe(taken)
      expect(server.rejected).toHaveLength(refused)
    }),
    { numRuns: 200 },
  )
})
