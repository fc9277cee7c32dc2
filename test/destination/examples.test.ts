import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startFlow } from '@walkeros/collector'
import type { Flow } from '@walkeros/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { writeWalkerosJson } from '../../scripts/walkeros-json.js'
import type { StepExample } from '../../src/destination/examples.js'
import {
  destinationSegment,
  type SegmentClient,
  type SegmentDestinationConfig,
} from '../../src/destination/index.js'
import * as dev from '../../src/dev.js'
import type { ReceivedCall } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'

const DOCUMENTED = [
  'anonymousOnly',
  'companyGroup',
  'consentForwarding',
  'defaultTrack',
  'destinationIdentify',
  'mappedEventName',
  'pageView',
  'screenView',
  'userLoginIdentify',
]

const examples = Object.entries<StepExample>(dev.examples.step)

/** The destination config that an example is about. */
function configOf({ in: event, mapping, settings }: StepExample): SegmentDestinationConfig {
  return {
    settings: { writeKey: 'test-key', ...settings },
    ...(mapping && { mapping: { [event.entity]: { [event.action]: mapping } } }),
  }
}

/** The calls that walkerOS's own collector has made when it was given an example's event and has shut down. */
async function throughCollector(
  example: StepExample,
  more: Partial<SegmentDestinationConfig> = {},
): Promise<void> {
  const config = configOf(example)
  const { elb } = await startFlow({
    destinations: {
      segment: {
        code: { ...destinationSegment },
        config: { ...config, ...more, settings: { ...config.settings, ...more.settings } },
      },
    },
  })
  const { ok, failed } = await elb(structuredClone(example.in))
  expect({ ok, failed }).toEqual({ ok: true, failed: undefined })
  await elb('walker shutdown')
}

/** What the client was called with. */
async function recordedCalls(example: StepExample): Promise<StepExample['out']> {
  const calls: [string, Record<string, unknown>][] = []
  const record = (callable: string) => (params: object) => void calls.push([callable, { ...params }])
  const analytics: SegmentClient = {
    track: record('analytics.track'),
    identify: record('analytics.identify'),
    group: record('analytics.group'),
    page: record('analytics.page'),
    screen: record('analytics.screen'),
  }
  await throughCollector(example, { env: { analytics } })
  return calls
}

/** What arrived at Segment through the collector and the real client. */
async function sentByCollector(example: StepExample): Promise<readonly ReceivedCall[]> {
  const segment = await segmentServer()
  await throughCollector(example, { settings: { writeKey: 'test-key', host: segment.url } })
  expect(segment.rejected).toEqual([])
  return segment.calls
}

/** What arrived at Segment through a request of a bare server with the tracking. */
async function sentByTracking(example: StepExample): Promise<readonly ReceivedCall[]> {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { ...configOf(example), request: { context: false } })
  const inRequest = await requestsOf(tracking)
  await inRequest((tracker) => tracker.track({ ...example.in, context: {} }))
  await tracking.flush()
  expect(segment.rejected).toEqual([])
  return segment.calls
}

/** A call as it is on the wire, less what the client adds to every call. */
function withoutClientParts(call: ReceivedCall): Record<string, unknown> {
  const { messageId: _, context, integrations, ...rest } = call
  const { _metadata, ...params } = rest as Record<string, unknown>
  const { library: __, ...ownContext } = context ?? {}
  expect(integrations).toEqual({})
  return { ...params, ...(Object.keys(ownContext).length > 0 && { context: ownContext }) }
}

/** An example's calls as they are to arrive. Of a page, the client repeats the category among the properties. */
function onTheWire(out: StepExample['out']): unknown[] {
  return out.map(([callable, params]) => {
    const type = callable.replace('analytics.', '')
    const { category, properties, ...rest } = JSON.parse(JSON.stringify(params))
    const repeated = type === 'page' && { category }
    return {
      type,
      ...rest,
      ...(category && { category }),
      ...(properties && { properties: { ...properties, ...repeated } }),
    }
  })
}

/** In the middleware, an event's data are the properties where nothing says what is. */
function withDataAsProperties(example: StepExample): StepExample['out'] {
  if (example.mapping?.data !== undefined) return example.out
  return example.out.map(([callable, params]) => [
    callable,
    callable === 'analytics.track' ? { ...params, properties: example.in.data } : params,
  ])
}

describe('the step examples', () => {
  it('are those of the documentation', () => {
    const shown = examples.filter(([, example]) => example.public !== false).map(([name]) => name)
    expect(shown.sort()).toEqual(DOCUMENTED)
    for (const [, { title, description }] of examples) expect([title, description]).not.toContain('')
  })

  it('have the form of walkerOS’s step examples', () => {
    expect(dev.examples.step satisfies Flow.StepExamples).toBeTypeOf('object')
  })

  it('name every method that they call among those to be simulated', () => {
    const called = examples.flatMap(([, { out }]) => out.map(([callable]) => `call:${callable}`))
    expect(dev.examples.env.simulation).toEqual(expect.arrayContaining(called))
    const methods = Object.keys(dev.examples.env.push.analytics ?? {})
    expect(
      called.map((name) => name.replace('call:analytics.', '')).every((name) => methods.includes(name)),
    ).toBe(true)
  })

  it.each(examples)(
    '%s: in walkerOS’s collector the client is called as the example says',
    async (_, example) => {
      expect(await recordedCalls(example)).toStrictEqual(example.out)
    },
  )

  it.each(examples)('%s: the collector and the tracking deliver the same calls', async (_, example) => {
    const collector = await sentByCollector(example)
    const tracking = await sentByTracking(example)
    expect(collector.map(withoutClientParts)).toStrictEqual(onTheWire(example.out))
    expect(tracking.map(withoutClientParts)).toStrictEqual(onTheWire(withDataAsProperties(example)))
    for (const { messageId } of tracking) expect(messageId).not.toMatch(/^node-next-/)
  })
})

describe('the published schemas', () => {
  it('take the examples', () => {
    for (const [, example] of examples) {
      expect(dev.schemas.ConfigSchema.safeParse(configOf(example)).error).toBeUndefined()
    }
  })

  it('describe every setting and every mapping field, with the documented defaults', () => {
    const described = (schema: Record<string, unknown>) =>
      Object.entries(schema.properties as Record<string, { description?: string; default?: unknown }>)
    for (const schema of Object.values(dev.schemas)) {
      if (schema instanceof z.ZodType) continue
      for (const [name, { description }] of described(schema))
        expect({ name, description }).toEqual({ name, description: expect.stringMatching(/\.$/) })
    }
    const defaults = described(dev.schemas.settings).flatMap(([name, field]) =>
      'default' in field ? [[name, field.default]] : [],
    )
    expect(Object.fromEntries(defaults)).toMatchObject({
      userId: 'user.id',
      anonymousId: 'user.session',
      flushAt: 15,
      flushInterval: 10_000,
      maxRetries: 3,
      httpRequestTimeout: 10_000,
      disable: false,
    })
    expect(dev.schemas.settings.required).toEqual(['writeKey'])
    expect(described(dev.schemas.mapping).map(([name]) => name)).toEqual([
      'identify',
      'group',
      'page',
      'screen',
    ])
  })
})

describe('walkerOS.json', () => {
  it('is plain JSON with the schemas and the examples', async () => {
    const root = await mkdtemp(join(tmpdir(), 'walkeros-json-'))
    onTestFinished(() => rm(root, { recursive: true }))
    const walkerOS = { type: 'destination', platform: ['server'], docs: 'https://example.com/docs' }
    await writeFile(
      join(root, 'package.json'),
      JSON.stringify({ name: 'a-package', version: '1.2.3', walkerOS }),
    )
    const path = await writeWalkerosJson(pathToFileURL(`${root}/`))
    expect(path).toBe(join(root, 'dist', 'walkerOS.json'))

    const written = JSON.parse(await readFile(path, 'utf8'))
    expect(written.$meta).toEqual({ package: 'a-package', version: '1.2.3', ...walkerOS })
    expect(Object.keys(written.schemas).sort()).toEqual(['config', 'mapping', 'rule', 'settings'])
    expect(Object.keys(written.examples.step)).toEqual(examples.map(([name]) => name))
    expect(written.examples.step.pageView).toEqual(JSON.parse(JSON.stringify(dev.examples.step.pageView)))
    expect(written.examples.env.push.analytics.track).toEqual({ $code: expect.stringContaining('=>') })
  })
})
