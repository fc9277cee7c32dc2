import { Analytics, type HTTPClientRequest } from '@segment/analytics-node'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeCall } from '../../src/delivery/sdk-call.js'
import { callOfSdkText } from '../../src/delivery/sdk-format.js'
import { SdkTexts } from '../../src/delivery/sdk-texts.js'
import type { CallType, SegmentCall } from '../../src/model/segment-call.js'

const TYPES = ['track', 'identify', 'group', 'page', 'screen', 'alias'] as const

/** What an application's data may be by the time that it is a call. */
const plain = fc.jsonValue({ maxDepth: 3, noUnicodeString: false })
const key = fc.oneof(
  fc.string(),
  fc.constantFrom('toJSON', '__proto__', 'category', 'name', '1', 'type', 'library'),
)
const record = fc.dictionary(key, plain, { noNullPrototype: true, maxKeys: 6 })
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('ü"\\\u2028', '\ud800', '</script>', ''))
const common = fc.record(
  {
    userId: text,
    anonymousId: text,
    messageId: fc.string({ minLength: 1 }),
    timestamp: fc.date({ noInvalidDate: false }),
    context: record.map(({ library: _, ...context }) => context),
    integrations: fc.dictionary(
      fc.constantFrom('All', 'Mixpanel', 'Salesforce', 'Amplitude', 'Segment.io', '__proto__'),
      fc.boolean(),
    ),
  },
  { requiredKeys: ['messageId', 'timestamp'] },
)
const own = {
  track: fc.record({ event: text, properties: record }),
  identify: fc.record({ traits: record }, { requiredKeys: [] }),
  group: fc.record({ groupId: text, traits: record }, { requiredKeys: ['groupId'] }),
  page: fc.record({ category: text, name: text, properties: record }, { requiredKeys: [] }),
  screen: fc.record({ category: text, name: text, properties: record }, { requiredKeys: [] }),
  alias: fc.record({ previousId: text }),
}
const call = fc
  .constantFrom(...TYPES)
  .chain((type) => fc.record({ type: fc.constant(type), params: fc.tuple(own[type], common) }))
  .map(({ type, params }) => ({ type, params: { ...params[0], ...params[1] } }) as SegmentCall)

/** The text that the SDK sends for a call; `undefined` where it refuses it or sends nothing. */
async function sentBySdk({ type, params }: SegmentCall): Promise<string | undefined> {
  const bodies: string[] = []
  const httpClient = {
    makeRequest: async ({ body }: HTTPClientRequest) => {
      bodies.push(body)
      return { status: 200, statusText: 'OK' }
    },
  }
  const analytics = new Analytics({ writeKey: 'k', flushAt: 1, flushInterval: 1, httpClient })
  try {
    makeCall(analytics, { type, params: structuredClone(params) } as SegmentCall)
  } catch {
    return undefined
  }
  await analytics.closeAndFlush()
  const [body] = bodies
  return body?.slice('{"batch":['.length, body.lastIndexOf('],"writeKey":'))
}

/** The first call of a type. */
function firstOf(type: CallType): SegmentCall {
  const params = { userId: 'u', event: 'e', properties: {}, groupId: 'g', previousId: 'p' }
  return { type, params: { ...params, timestamp: new Date(0), messageId: type } } as SegmentCall
}

/** Texts of all types, as they are once the SDK has written one of each. */
async function learned(): Promise<SdkTexts> {
  const texts = new SdkTexts()
  for (const type of TYPES) {
    const first = firstOf(type)
    texts.watch(first)
    const sent = JSON.parse((await sentBySdk(first)) ?? '')
    texts.compare((messageId) => (messageId === type ? sent : undefined))
  }
  return texts
}

describe('a call that is written as the SDK writes it', () => {
  it('has the same bytes, whatever is in it, or is left to the SDK', async () => {
    const texts = await learned()
    let written = 0
    await fc.assert(
      fc.asyncProperty(call, async (made) => {
        const expected = await sentBySdk(made)
        const text = texts.textOf({ ...made, params: structuredClone(made.params) } as SegmentCall)
        if (text === undefined) return
        written++
        expect(text).toBe(expected)
        const back = callOfSdkText(text, made.type, undefined)
        expect(await sentBySdk(back)).toBe(expected)
      }),
      { numRuns: 400 },
    )
    expect(written).toBeGreaterThan(100)
  }, 60_000)

  it('has the time that its date writes: the same millisecond twice, and a date that writes itself', async () => {
    class Minute extends Date {
      override toISOString() {
        return super.toISOString().slice(0, 16)
      }
    }
    const texts = await learned()
    const { params } = firstOf('track')
    const timeOf = (timestamp: Date) => {
      const text = texts.textOf({ type: 'track', params: { ...params, timestamp } } as SegmentCall)
      return JSON.parse(text ?? '{}').timestamp
    }
    const time = Date.UTC(2026, 10, 27, 1, 2, 3, 4)
    const dates = [new Date(time), new Date(time), new Minute(time), new Date(time + 1), new Date(time)]
    dates.push(Object.assign(new Date(time), { toJSON: () => 'own' }))
    expect(dates.map(timeOf)).toEqual(dates.map((date) => JSON.parse(JSON.stringify(date))))
  })

  it('is left to the SDK until the SDK has written one of its type, and where it writes otherwise', () => {
    const texts = new SdkTexts()
    const first = firstOf('track')
    expect(texts.textOf(first)).toBeUndefined()
    texts.watch(first)
    texts.compare(() => ({ type: 'track', version: 'another' }))
    expect(texts.textOf(first)).toBeUndefined()
    texts.watch(first)
    texts.compare(() => JSON.parse('{}'))
    expect(texts.textOf(first)).toBeUndefined()
  })
})
