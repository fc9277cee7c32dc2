import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { clsHookedContext } from '../../src/context/cls-hooked.js'
import { expressTracking } from '../../src/frameworks/express.js'
import {
  type ContextAdapter,
  fromAsyncLocalStorage,
  type TrackedRequest,
  type Tracker,
  type Tracking,
} from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { serve } from '../support/servers.js'
import { contexts, namespace } from './contexts.js'

const ada = { user: { id: 'ada' } }
const grace = { user: { id: 'grace' } }

function recorded(ambient: ContextAdapter | false | undefined) {
  return recordTracking({ ...(ambient !== undefined && { ambient }), logger: { handler: () => {} } })
}

describe.each(contexts)('a run in $name', ({ open }) => {
  it('has its own tracker, also after awaits, timers and in nested calls', async () => {
    const context = open()
    const tracking = recorded(context.ambient)
    expect(tracking.current()).toBeUndefined()
    await tracking.run(ada, async (tracker) => {
      expect(tracking.current()).toBe(tracker)
      await nextTurn()
      expect(tracking.current()).toBe(tracker)
      await new Promise<void>((resolve) => setTimeout(resolve, 1))
      expect(tracking.current()).toBe(tracker)
    })
    expect(tracking.current()).toBeUndefined()
  })

  it('inside of another run goes first, and gives the other back', async () => {
    const context = open()
    const tracking = recorded(context.ambient)
    await context.begin(() =>
      tracking.run(ada, async (outer) => {
        await tracking.run(grace, async (inner) => {
          await nextTurn()
          expect(tracking.current()).toBe(inner)
        })
        expect(tracking.current()).toBe(outer)
        expect(() =>
          tracking.run(grace, () => {
            throw new Error('broken')
          }),
        ).toThrow('broken')
        expect(tracking.current()).toBe(outer)
      }),
    )
    await tracking.settled()
  })

  it('inside of a request goes first, and never takes the request’s away', async () => {
    const context = open()
    const tracking = recorded(context.ambient)
    const requests = await ambientRequests(tracking, context.begin)
    await requests(async (inRequest) => {
      let goOn: () => void = () => {}
      const run = tracking.run(ada, async (tracker) => {
        expect(tracking.current()).toBe(tracker)
        await new Promise<void>((resolve) => {
          goOn = resolve
        })
        expect(tracking.current()).toBe(tracker)
      })
      expect(tracking.current()).toBe(inRequest)
      await nextTurn()
      expect(tracking.current()).toBe(inRequest)
      goOn()
      await run
      expect(tracking.current()).toBe(inRequest)
    })
    await tracking.settled()
  })

  it('is not the tracker of requests to a server that was started within it', async () => {
    const context = open()
    const tracking = recorded(context.ambient)
    const trackers = await tracking.run(ada, async () => {
      const requests = await ambientRequests(tracking, context.begin)
      const found: unknown[] = []
      await requests(async (inRequest) => {
        await nextTurn()
        found.push(inRequest === tracking.current())
      })
      return found
    })
    expect(trackers).toEqual([true])
    await tracking.settled()
  })

  it('leaves the application its own context', async () => {
    const context = open()
    const tracking = recorded(context.ambient)
    const requests = await ambientRequests(tracking, context.begin)
    let read: unknown
    await requests(async (_tracker, request) => {
      context.remember({ userId: 'ada', consent: {} })
      await tracking.run(grace, async () => {
        await nextTurn()
        read = context.userId(request)
      })
    })
    expect(read).toBe('ada')
    await tracking.settled()
  })
})

describe('a run', () => {
  it('has its tracker in an AsyncLocalStorage of the application’s that holds nothing', async () => {
    const storage = new AsyncLocalStorage<object>()
    const tracking = recorded(fromAsyncLocalStorage(storage))
    await tracking.run(ada, async (tracker) => {
      await nextTurn()
      expect(tracking.current()).toBe(tracker)
      expect(storage.getStore()).toBeUndefined()
      storage.run({}, () => expect(tracking.current()).toBe(tracker))
    })
  })

  it.each(['an id', 42, null])('has its tracker in a store that is no object: %j', (store) => {
    const storage = new AsyncLocalStorage<unknown>()
    const tracking = recorded(fromAsyncLocalStorage(storage as AsyncLocalStorage<object>))
    storage.run(store, () =>
      tracking.run(ada, (tracker) => {
        expect(tracking.current()).toBe(tracker)
        expect(storage.getStore()).toBe(store)
      }),
    )
  })

  it('is found in a cls-hooked namespace as a request is', () => {
    const shop = namespace()
    const tracking = recorded(clsHookedContext(shop))
    tracking.run(ada, (tracker) => expect(shop.get('tracker')).toBe(tracker))
    shop.runAndReturn(() => {
      shop.set('tracker', { track: 'of the application' })
      expect(tracking.current()).toBeUndefined()
      tracking.run(ada, (tracker) => expect(tracking.current()).toBe(tracker))
      expect(shop.get('tracker')).toEqual({ track: 'of the application' })
    })
  })

  it('throws the application’s own error as it was, through any context', () => {
    for (const ambient of [clsHookedContext(namespace()), fromAsyncLocalStorage(new AsyncLocalStorage())]) {
      const error = new Error('broken')
      const tracking = recorded(ambient)
      expect(() =>
        tracking.run(ada, () => {
          throw error
        }),
      ).toThrow(error)
      expect(Object.keys(error)).toEqual([])
    }
  })

  it('has no ambient tracker where that is turned off', async () => {
    const tracking = recorded(false)
    tracking.run(ada, (tracker) => {
      expect(tracking.current()).toBeUndefined()
      tracker.track('report run')
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report run', userId: 'ada' }])
  })

  it('runs once, and gives what it gave, where the application’s context fails', async () => {
    const errors: unknown[] = []
    const broken: ContextAdapter = {
      run: () => {
        throw new Error('the adapter is broken')
      },
      get: () => {
        throw new Error('the adapter is broken')
      },
    }
    const tracking = recordTracking({
      ambient: broken,
      logger: { handler: () => {} },
      on: { error: (error) => errors.push(error) },
    })
    let ran = 0
    expect(tracking.run(ada, () => ++ran)).toBe(1)
    expect([ran, errors.length > 0]).toEqual([1, true])
    await tracking.settled()
  })
})

describe('two trackings that share the default context', () => {
  it('each find their own tracker in nested runs and requests', async () => {
    const [one, other] = [recorded(undefined), recorded(undefined)]
    const requests = await ambientRequests(one, (next) => next())
    await requests(async (tracker) => {
      one.run(ada, (ofOne) =>
        other.run(grace, (ofOther) => {
          expect(one.current()).toBe(ofOne)
          expect(other.current()).toBe(ofOther)
        }),
      )
      other.run(grace, (ofOther) => {
        expect(one.current()).toBe(tracker)
        expect(other.current()).toBe(ofOther)
      })
    })
    other.run(grace, (ofOther) => expect(one.current()).toBe(ofOther))
    await Promise.all([one.settled(), other.settled()])
  })
})

type Handler = (tracker: Tracker, request: TrackedRequest) => Promise<void>

/** An application whose requests run in its own context, then the tracking's. A failure in a handler fails the test. */
async function ambientRequests(tracking: Tracking, begin: <T>(next: () => T) => T) {
  let handler: Handler = async () => {}
  let failure: unknown
  const app = express()
  app.use((_req, _res, next) => begin(next))
  app.use(expressTracking(tracking))
  app.use(async (req, res) => {
    try {
      await handler(req.tracker, Reflect.get(req.tracker, 'request'))
    } catch (error) {
      failure = error
    }
    res.end()
  })
  const { url } = await serve(app)
  return async (next: Handler) => {
    handler = next
    await (await fetch(url)).text()
    if (failure) throw failure
  }
}
