import { describe, expect, it } from 'vitest'
import type {
  BeforeSend,
  DroppedEvent,
  FailedCall,
  SegmentCall,
  Settings,
  TrackingConfig,
} from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

interface Given extends Omit<TrackingConfig, 'settings'> {
  settings?: Partial<Settings>
}

async function started(config: Given) {
  const segment = await segmentServer()
  const errors: unknown[] = []
  const lines: string[] = []
  const drops: DroppedEvent[] = []
  const failures: FailedCall[] = []
  const tracking = trackingTo(segment, {
    request: { context: false },
    logger: { handler: (_level, message) => lines.push(message) },
    on: {
      error: (error) => errors.push(error),
      dropped: (dropped) => drops.push(dropped),
      failed: (failed) => failures.push(failed),
    },
    ...config,
  })
  return { segment, tracking, inRequest: await requestsOf(tracking), errors, lines, drops, failures }
}

const settings: Partial<Settings> = {
  identify: { map: { traits: { map: { email: 'user.email' } } } },
  group: { map: { groupId: 'user.company' } },
  consent: { marketing: 'Advertising' },
}
const alice = { id: 'alice', email: 'a@example.com', company: 'acme' }

/** Does a function for tracks only, so that a test speaks of one call. */
const ofTracks =
  (change: (call: Extract<SegmentCall, { type: 'track' }>) => unknown): BeforeSend =>
  (call) =>
    (call.type === 'track' ? change(call) : call) as SegmentCall

describe('beforeSend', () => {
  it('sees every call of every type once, and sends what it returns', async () => {
    const seen: string[] = []
    const { segment, tracking, inRequest } = await started({
      settings,
      mapping: { order: { complete: { settings: { page: true, screen: true } } } },
      request: { context: false, consentUpdates: true },
      beforeSend: (call, event) => {
        seen.push(`${call.type} of ${event.name}`)
        call.params.integrations = { Seen: true }
        return call
      },
    })
    await inRequest((tracker) => {
      tracker.user(alice)
      tracker.track('order complete')
      tracker.identify({ plan: 'team' })
      tracker.group('acme')
      tracker.page()
      tracker.screen()
      tracker.alias('before')
      tracker.consent({ marketing: true })
    }, visitor('s1'))
    await tracking.flush()
    expect(seen).toEqual([
      'identify of order complete',
      'group of order complete',
      'page of order complete',
      'screen of order complete',
      'track of order complete',
      'identify of user identify',
      'group of user group',
      'page of page view',
      'screen of screen view',
      'alias of user alias',
      'track of consent update',
    ])
    expect(segment.calls.map(({ type }) => type)).toEqual(seen.map((line) => line.split(' ')[0]))
    expect(segment.calls.map(({ integrations }) => integrations)).toEqual(Array(11).fill({ Seen: true }))
    expect(tracking.stats().calls).toMatchObject({ made: 11, withheld: 0, failed: {} })
  })

  it('sees the event under its own name and the call under that of its rule', async () => {
    const names: unknown[] = []
    const { tracking, inRequest } = await started({
      mapping: { order: { complete: { name: 'Order Completed' } } },
      beforeSend: ofTracks((call) => call),
    })
    const watching = await started({
      mapping: { order: { complete: { name: 'Order Completed' } } },
      beforeSend: (call, event) => {
        names.push(event.name, call.type === 'track' && call.params.event)
        return call
      },
    })
    for (const { inRequest: ask } of [{ inRequest }, watching]) {
      await ask((tracker) => tracker.track('order complete'), visitor('s1'))
    }
    await tracking.flush()
    await watching.tracking.flush()
    expect(names).toEqual(['order complete', 'Order Completed'])
  })

  it('may change all but type, messageId and consent', async () => {
    const { segment, tracking, inRequest } = await started({
      settings: { consent: settings.consent ?? {} },
      beforeSend: (call) => {
        Object.assign(call, { type: 'identify', remembered: {} })
        Object.assign(call.params, {
          messageId: 'mine',
          userId: 7,
          anonymousId: undefined,
          event: 'Renamed',
          properties: { at: new Date(0), big: 12n },
          timestamp: '2020-01-01T00:00:00Z',
          context: { ip: '1.2.3.4', consent: { categoryPreferences: { Advertising: true, More: true } } },
          integrations: { All: false },
          unknown: 'left out',
        })
        return call
      },
    })
    await inRequest((tracker) => {
      tracker.consent({ marketing: false })
      tracker.track('order complete', { total: 42 })
    }, visitor('s1'))
    await tracking.flush()
    const { messageId, context, unknown, anonymousId, ...call }: Record<string, unknown> = {
      ...segment.calls[0],
    }
    expect(call).toMatchObject({
      type: 'track',
      event: 'Renamed',
      userId: '7',
      properties: { at: '1970-01-01T00:00:00.000Z', big: '12' },
      timestamp: '2020-01-01T00:00:00.000Z',
      integrations: { All: false },
    })
    expect(messageId).toMatch(/^[0-9a-f]{32}-track$/)
    expect(context).toMatchObject({ ip: '1.2.3.4', consent: { categoryPreferences: { Advertising: false } } })
    expect([unknown, anonymousId]).toEqual([undefined, undefined])
  })

  it.each([
    ['deletes the context', (call: SegmentCall) => delete call.params.context],
    ['deletes the consent', (call: SegmentCall) => delete call.params.context?.consent],
    [
      'grants in place',
      (call: SegmentCall) =>
        Object.assign(call.params.context?.consent?.categoryPreferences ?? {}, { Advertising: true }),
    ],
  ])('cannot take consent away when it %s', async (_what, change) => {
    const { segment, tracking, inRequest } = await started({
      settings: { consent: settings.consent ?? {} },
      beforeSend: (call) => {
        change(call)
        return call
      },
    })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]?.context?.consent).toEqual({ categoryPreferences: { Advertising: false } })
  })

  it('cannot add a consent where none is configured', async () => {
    const { segment, tracking, inRequest } = await started({
      beforeSend: (call) => {
        call.params.context = { consent: { categoryPreferences: { Advertising: true } } }
        return call
      },
    })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]?.context).not.toHaveProperty('consent')
  })

  it('is a list, too: each gets what the one before returned, until one withholds', async () => {
    const seen: unknown[] = []
    const { segment, tracking, inRequest } = await started({
      beforeSend: [
        ofTracks((call) => ({ ...call, params: { ...call.params, properties: { step: 1 } } })),
        async (call) => {
          if (call.type === 'track') call.params.properties.step = 2
          return call
        },
        ofTracks((call) => {
          seen.push({ ...call.params.properties })
          return call.params.event === 'order view' ? null : call
        }),
        (call) => {
          seen.push('last')
          return call
        },
      ],
    })
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.track('order view')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ event: 'order complete', properties: { step: 2 } }])
    expect(seen).toEqual([{ step: 2 }, 'last', { step: 2 }])
  })

  it('has copies of its own: a change reaches no other call and no other event', async () => {
    const nested = { total: { net: 42 } }
    const { segment, tracking, inRequest } = await started({
      settings: { identify: { map: { traits: 'data' } } },
      mapping: { order: { complete: { settings: { page: { map: { properties: 'data' } } } } } },
      beforeSend: (call, event) => {
        const before = JSON.stringify([call.params, event.data])
        expect(before).not.toContain('spoiled')
        Object.assign(event.data.total ?? {}, { net: 'spoiled' })
        if (call.type === 'page') Object.assign(call.params.properties?.total ?? {}, { net: 'spoiled' })
        return call
      },
    })
    await inRequest((tracker) => {
      tracker.track('order complete', nested)
      tracker.track('order view', nested)
    }, visitor('s1'))
    await tracking.flush()
    const contents = segment.calls.map((call) => {
      const content: Record<string, unknown> = { ...call }
      return [call.type, content.properties ?? content.traits]
    })
    expect(contents).toEqual([
      ['identify', nested],
      ['page', { total: { net: 'spoiled' } }],
      ['track', nested],
      ['track', nested],
    ])
    expect(tracking.stats().calls.withheld).toBe(0)
  })

  it('cannot change a call after it has returned it', async () => {
    const kept: SegmentCall[] = []
    const { segment, tracking, inRequest } = await started({
      settings: { flushInterval: 5_000 },
      beforeSend: (call) => {
        kept.push(call)
        return call
      },
    })
    await inRequest((tracker) => tracker.track('order complete', { total: 42 }), visitor('s1'))
    await expect.poll(() => tracking.stats().calls.pending).toBe(1)
    for (const call of kept) if (call.type === 'track') call.params.properties.total = 'spoiled'
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ properties: { total: 42 } })
  })
})

describe('a withheld call', () => {
  it('is counted, and its event is dropped as withheld where no call is left', async () => {
    const { segment, tracking, inRequest, drops, errors, lines } = await started({
      settings,
      validate: false,
      beforeSend: (call) => (call.type === 'group' || call.type === 'page' ? null : call),
    })
    await inRequest((tracker) => {
      tracker.user(alice)
      tracker.track('order complete')
      tracker.page({ name: 'Home' })
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual(['identify', 'track'])
    expect(drops).toMatchObject([{ reason: 'withheld', event: { name: 'page view' } }])
    const { events, calls } = tracking.stats()
    expect(events).toMatchObject({ tracked: 2, open: 0, dispatched: 1, dropped: { withheld: 1 } })
    expect(calls).toMatchObject({ made: 2, delivered: 2, pending: 0, withheld: 2 })
    expect([errors, lines]).toEqual([[], []])
  })

  it('drops its event where the others are known already, and counts both', async () => {
    const { tracking, inRequest } = await started({
      settings,
      beforeSend: (call) => (call.type === 'track' ? null : call),
    })
    const track: Parameters<typeof inRequest>[0] = (tracker) => {
      tracker.user(alice)
      tracker.track('order complete')
    }
    await inRequest(track, visitor('s1'))
    await inRequest(track, visitor('s1'))
    await tracking.flush()
    const { events, calls } = tracking.stats()
    expect(events).toMatchObject({ dispatched: 1, dropped: { withheld: 1 } })
    expect(calls).toMatchObject({ made: 2, deduplicated: 2, withheld: 2 })
  })

  it('is forgotten by the memory of people, so that the next event tells about them', async () => {
    let withholds = true
    const { segment, tracking, inRequest } = await started({
      settings,
      beforeSend: (call) => (withholds && call.type !== 'track' ? null : call),
    })
    const track: Parameters<typeof inRequest>[0] = (tracker) => {
      tracker.user(alice)
      tracker.track('order complete')
    }
    await inRequest(track, visitor('s1'))
    await tracking.flush()
    withholds = false
    await inRequest(track, visitor('s1'))
    await inRequest(track, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'identify', 'group', 'track', 'track'])
  })

  it('leaves the memory of a call that is sent as it was: a failure still forgets it', async () => {
    const { segment, tracking, inRequest, failures } = await started({ settings, beforeSend: (call) => call })
    segment.respondWith([{ status: 400, times: 20 }])
    const track: Parameters<typeof inRequest>[0] = (tracker) => {
      tracker.user(alice)
      tracker.track('order complete')
    }
    await inRequest(track, visitor('s1'))
    await tracking.flush()
    expect(failures).toHaveLength(3)
    segment.respondWith()
    await inRequest(track, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toContain('identify')
  })

  const broken = (): never => {
    throw new Error('broken')
  }
  const circular: Record<string, unknown> = {}
  circular.type = 'track'
  circular.params = circular
  const params = (change: object) => ofTracks((call) => ({ ...call, params: { ...call.params, ...change } }))
  const misbehaving: [string, unknown, string][] = [
    ['throws', broken, 'broken'],
    ['throws nothing', () => Promise.reject(), ''],
    ['rejects', async () => broken(), 'broken'],
    ['never answers', () => new Promise(() => {}), 'no answer within 2000 ms'],
    ['returns nothing', () => undefined, 'it returned no call'],
    ['resolves to nothing', async () => undefined, 'it returned no call'],
    ['returns true', () => true, 'it returned no call'],
    ['returns a list', (call: SegmentCall) => [call], 'it returned no call'],
    ['returns the parameters alone', (call: SegmentCall) => call.params, 'it returned no call'],
    ['returns what has no parameters', () => ({ type: 'track' }), 'it returned no call'],
    ['returns a circle', () => circular, ''],
    [
      'returns what throws when it is read',
      () => ({
        get params() {
          return broken()
        },
      }),
      'broken',
    ],
    ['returns a promise that throws', () => Object.defineProperty({}, 'then', { get: broken }), 'broken'],
    ['takes the ids away', params({ anonymousId: undefined }), 'userId and anonymousId are missing'],
    ['makes an object the id', params({ userId: {} }), 'userId: expected a non-empty string'],
    ['takes the name away', params({ event: '' }), 'event: expected a non-empty string'],
    ['makes a list of the properties', params({ properties: [1] }), 'properties: expected an object'],
    ['makes the time none', params({ timestamp: 'soon' }), 'timestamp: expected a Date'],
    ['makes the context none', params({ context: 'web' }), 'context: expected an object'],
    [
      'makes the integrations none',
      params({ integrations: { All: 'yes' } }),
      'integrations: expected true, false',
    ],
  ]

  it.each(misbehaving)('is one whose function %s, and that is told', async (_how, beforeSend, message) => {
    const { segment, tracking, inRequest, drops, errors, lines } = await started({
      beforeSend: beforeSend as BeforeSend,
    })
    await inRequest((tracker) => tracker.track('order complete', { secret: 's3cret' }), visitor('s1'))
    await tracking.flush({ timeout: 15_000 })
    expect(segment.calls).toEqual([])
    expect(drops.map(({ reason }) => reason)).toEqual(['withheld'])
    expect(tracking.stats().calls).toMatchObject({ made: 0, withheld: 1 })
    expect(errors).toHaveLength(1)
    expect(String(errors[0])).toContain(message)
    expect(lines).toEqual(['beforeSend failed: a call (track) was withheld: event "order complete"'])
    expect(String(errors[0])).not.toContain('s3cret')
  })

  it('is told of once, however many there are', async () => {
    const { tracking, inRequest, lines } = await started({ beforeSend: broken })
    await inRequest((tracker) => {
      for (let index = 0; index < 20; index++) tracker.track('order complete')
    }, visitor('s1'))
    await tracking.flush()
    expect(lines).toHaveLength(1)
    expect(tracking.stats().calls.withheld).toBe(20)
  })

  it('holds up nobody while a function hangs', async () => {
    const { segment, tracking, inRequest } = await started({
      beforeSend: (call) => (call.params.anonymousId === 's1' ? new Promise(() => {}) : call),
    })
    // The first call loads the SDK.
    await inRequest((tracker) => tracker.track('order complete'), visitor('s0'))
    await tracking.flush()
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await inRequest((tracker) => tracker.track('order complete'), visitor('s2'))
    await segment.waitFor(2)
    expect(tracking.stats().calls.withheld).toBe(0)
    expect(segment.calls.map(({ anonymousId }) => anonymousId)).toEqual(['s0', 's2'])
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ withheld: 1, delivered: 2 })
  })
})

describe('a changed call', () => {
  it('is held to the size that Segment takes', async () => {
    const { segment, tracking, inRequest, failures } = await started({
      beforeSend: ofTracks((call) => {
        call.params.properties.big = 'x'.repeat(call.params.event === 'order huge' ? 1_000_000 : 40_000)
        return call
      }),
    })
    await inRequest((tracker) => {
      tracker.track('order large')
      tracker.track('order huge')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toEqual([])
    expect(failures.map(({ reason }) => reason)).toEqual(['too-large', 'too-large'])
    expect(tracking.stats().calls).toMatchObject({ made: 2, withheld: 0, failed: { 'too-large': 2 } })
  })

  it('may be made small enough: what is too large is looked at after it', async () => {
    const { segment, tracking, inRequest } = await started({
      mapping: {
        order: { complete: { data: { map: { big: { fn: () => 'x'.repeat(40_000) }, id: 'data.id' } } } },
      },
      beforeSend: ofTracks((call) => {
        delete call.params.properties.big
        return call
      }),
    })
    await inRequest((tracker) => tracker.track('order complete', { id: 'A-1' }), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ properties: { id: 'A-1' } }])
  })

  it('may be made large by one function and small by the next', async () => {
    const { segment, tracking, inRequest } = await started({
      beforeSend: [
        ofTracks((call) => ({
          ...call,
          params: { ...call.params, properties: { big: 'x'.repeat(40_000), id: 1 } },
        })),
        ofTracks((call) => {
          delete call.params.properties.big
          return call
        }),
      ],
    })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ properties: { id: 1 } }])
  })
})

describe('an asynchronous beforeSend', () => {
  it('keeps the order of a person’s calls, across requests, logins and functions that answer at once', async () => {
    const answers = new Map<string, () => void>()
    const { segment, tracking, inRequest } = await started({
      beforeSend: (call) => {
        if (call.type !== 'track' || !call.params.event.startsWith('slow')) return call
        return new Promise((resolve) => answers.set(call.params.messageId ?? '', () => resolve(call)))
      },
    })
    const as = (id?: string) => (name: string) =>
      inRequest((tracker) => {
        if (id !== undefined) tracker.user({ id })
        tracker.track(name)
      }, visitor('s1'))
    await as()('slow 1')
    await expect.poll(() => answers.size).toBe(1)
    await as()('fast 2')
    await as('alice')('fast 3')
    await as('alice')('slow 4')
    await expect.poll(() => answers.size).toBe(2)
    await as('alice')('fast 5')
    await inRequest((tracker) => tracker.track('fast other'), visitor('s2'))
    await expect.poll(() => segment.calls.length).toBe(1)
    for (const answer of [...answers.values()].reverse()) answer()
    await tracking.flush()
    const tracks = segment.calls.filter((call) => call.type === 'track').map(({ event }) => event)
    expect(tracks).toEqual(['fast other', 'slow 1', 'fast 2', 'fast 3', 'slow 4', 'fast 5'])
  })

  it('is waited for by a shutdown', async () => {
    const { segment, tracking, inRequest } = await started({
      beforeSend: async (call) => {
        await new Promise((resolve) => setTimeout(resolve, 200))
        return call
      },
    })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    expect(await tracking.shutdown()).toMatchObject({ delivered: 1, dropped: 0, timedOut: false })
    expect(segment.calls).toHaveLength(1)
  })
})
