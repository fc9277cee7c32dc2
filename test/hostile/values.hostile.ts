import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTracking, signCarried, type Tracker, type Tracking } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'
import { holds } from './generated.js'
import { expectBooksBalance, watchProcess } from './harm.js'
import { objectWith, oneOf, type Recipe, thing } from './things.js'

/** A method, and what it is given. */
interface Call {
  readonly method: string
  readonly given: readonly Recipe[]
}

const eventMembers = [
  'name',
  'data',
  'context',
  'nested',
  'globals',
  'custom',
  'user',
  'consent',
  'trigger',
  'timestamp',
  'id',
  'source',
  'integrations',
  'key',
]
const name = oneOf('order complete', 'user sign-up', 'Subscribed', 'invite_sent', 'order fail')
const partialEvent = objectWith(eventMembers)
const wholeEvent = objectWith(eventMembers, { name: 'order complete' })
const view = objectWith(['name', 'category', 'properties'], { name: 'Home' })
const person = objectWith(['id', 'session', 'email', 'device'], { id: 'u-1' })
const choices = objectWith(['analytics', 'marketing', '__proto__'], { analytics: true })
const sender = objectWith(['name', 'user', 'consent', 'context', 'trace', 'extra'], { user: { id: 'u-1' } })
const carried = objectWith(['v', 'at', 'userId', 'anonymousId', 'consent', 'trace', 'context'], {
  v: 1,
  at: 0,
  userId: 'u-1',
  consent: { analytics: true },
})
const timeout = objectWith(['timeout'], { timeout: 1 })

function call(method: string, ...given: readonly fc.Arbitrary<Recipe>[]): fc.Arbitrary<Call> {
  return fc
    .tuple(...given.map((sensible) => fc.oneof(sensible, thing)))
    .map((made) => ({ method, given: made }))
}

/** What a handler calls. */
const trackerCall = fc.oneof(
  call('track', name, partialEvent, partialEvent),
  call('track', name, thing),
  call('track', wholeEvent),
  call('identify', oneOf('u-1', 7), partialEvent),
  call('identify', thing),
  call('group', oneOf('g-1', 7), thing),
  call('page', view),
  call('screen', view),
  call('alias', oneOf('before')),
  call('user', person),
  call('consent', choices),
  call('waitUntil', thing),
  call('carry', objectWith(['wait', 'context'])),
  call('carry', objectWith(['context'], { wait: true })),
  call('flush', timeout),
  fc.constant({ method: 'discard', given: [] }),
)

/** Calls a method as JavaScript does, whatever its types say. */
function perform(target: object, { method, given }: Call, ...more: unknown[]): unknown {
  return Reflect.apply(Reflect.get(target, method), target, [...given.map((each) => each.make()), ...more])
}

/** Calls a tracker's methods. What they throw or reject with is kept. */
async function use(tracker: Tracker, calls: readonly Call[], thrown: unknown[]): Promise<void> {
  const promised: unknown[] = []
  for (const each of calls) {
    try {
      const answer = perform(tracker, each)
      if (answer instanceof Promise) promised.push(answer)
      JSON.stringify(tracker.identity)
    } catch (error) {
      thrown.push({ method: each.method, error })
    }
  }
  for (const { status, ...result } of await Promise.allSettled(promised)) {
    if (status === 'rejected') thrown.push(result)
  }
}

const calls = fc.array(trackerCall, { minLength: 1, maxLength: 12 })

describe('a tracker that is given whatever there is', () => {
  it('throws nothing, sends what Segment takes, and its books balance', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    const tracking = attackedTracking(segment)
    const inRequest = await requestsOf(tracking)
    await holds(
      fc.asyncProperty(
        calls,
        calls,
        fc.constantFrom('run', 'forSender', 'resume'),
        async (first, second, how) => {
          const thrown: unknown[] = []
          await inRequest((tracker) => use(tracker, first, thrown), visitor('a-1'))
          const outside = { user: { id: 'u-2' }, consent: { analytics: true } }
          if (how === 'run') await tracking.run(outside, (tracker) => use(tracker, second, thrown))
          else if (how === 'forSender') await use(tracking.forSender(outside), second, thrown)
          else {
            const taken = tracking.forSender(outside).carry()
            await tracking.resume(taken, (tracker) => use(tracker, second, thrown))
          }
          await tracking.flush()
          expect(thrown).toEqual([])
          expect(harm).toEqual([])
          expectBooksBalance(tracking)
          expect(segment.rejected).toEqual([])
          expect(Reflect.get({}, 'polluted')).toBeUndefined()
        },
      ),
      150,
    )
    expect(segment.received).toBeGreaterThan(0)
    expect(tracking.stats().calls.failed).toMatchObject({ rejected: 0, cancelled: 0, damaged: 0 })
  })
})

/** What a job, a script or a socket calls. */
const trackingCall = fc.oneof(
  call('run', sender),
  call('forSender', sender),
  call('resume', carried),
  call('flush', timeout),
  call('handle', thing, thing),
)

describe('a tracking that is given whatever there is', () => {
  it('throws TypeErrors where it promises them, and otherwise nothing', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    const tracking = attackedTracking(segment)
    await holds(
      fc.asyncProperty(
        trackingCall,
        objectWith(['consent', 'maxAge', 'secret'], { maxAge: 1_000 }),
        calls,
        async (asked, options, inside) => {
          const thrown: unknown[] = []
          const work = async (tracker: Tracker) => await use(tracker, inside, thrown)
          try {
            const answer = perform(
              tracking,
              asked,
              ...(asked.method === 'run' ? [work] : []),
              ...(asked.method === 'resume' ? [work, options.make()] : []),
            )
            await (isTracker(answer) ? use(answer, inside, thrown) : answer)
          } catch (error) {
            if (asked.method === 'handle' || asked.method === 'flush') thrown.push(error)
            else expect(error).toBeInstanceOf(TypeError)
          }
          await tracking.flush()
          expect(thrown).toEqual([])
          expect(harm).toEqual([])
          expectBooksBalance(tracking)
          expect(segment.rejected).toEqual([])
        },
      ),
      150,
    )
    expect(tracking.stats().calls.failed).toMatchObject({ rejected: 0, cancelled: 0, damaged: 0 })
  })

  it('signs what can be signed, and resumes what anybody has signed', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    const tracking = attackedTracking(segment)
    await holds(
      fc.asyncProperty(fc.oneof(carried, thing), fc.oneof(oneOf('secret'), thing), async (given, secret) => {
        let signed: string | undefined
        try {
          signed = Reflect.apply(signCarried, undefined, [given.make(), secret.make()])
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
        tracking.resume(signed, (tracker) => tracker.track('order complete'), { secret: ['other', 'secret'] })
        await tracking.flush()
        expect(harm).toEqual([])
        expectBooksBalance(tracking)
        expect(segment.rejected).toEqual([])
      }),
      200,
    )
  })
})

describe('the configuration', () => {
  it('is refused with an Error or works, whatever it is', async () => {
    const { harm } = watchProcess()
    const config = objectWith(
      [
        'settings',
        'mapping',
        'consent',
        'request',
        'dispatch',
        'plan',
        'waitUntil',
        'ambient',
        'delivery',
        'on',
        'env',
        'logger',
        'id',
        'data',
        'include',
        'policy',
        'extra',
      ],
      { settings: { writeKey: 'test-key', host: 'http://127.0.0.1:9' } },
    )
    await holds(
      fc.asyncProperty(fc.oneof(config, thing), async (given) => {
        let tracking: Tracking | undefined
        try {
          tracking = Reflect.apply(createTracking, undefined, [given.make()])
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect(error).not.toBeInstanceOf(RangeError)
        }
        await tracking?.shutdown({ timeout: 100 })
        expect(harm).toEqual([])
      }),
      150,
    )
  })
})

function isTracker(value: unknown): value is Tracker {
  return typeof value === 'object' && value !== null && 'track' in value
}

function attackedTracking(segment: Parameters<typeof trackingTo>[0]): Tracking {
  return trackingTo(segment, {
    settings: { consent: { analytics: 'Analytics' }, userId: 'user.id', flushInterval: 1 },
    consent: { analytics: true },
    request: { consent: () => ({ analytics: true }) },
    include: ['data', 'globals', 'context', 'user', 'custom', 'nested'],
    mapping: {
      user: { 'sign-up': { settings: { identify: { map: { plan: 'data.plan' } } } } },
      order: { fail: { name: 'Order Failed', data: { map: { total: 'data.total', all: 'data' } } } },
    },
    logger: { handler: () => {} },
  })
}
