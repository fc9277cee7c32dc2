import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import { createNamespace } from 'cls-hooked'
import { createTracking, fromAsyncLocalStorage } from 'reqtrack'
import { clsHookedContext, fromNamespace } from 'reqtrack/cls-hooked'
import { track } from './track.cjs'

const namespace = createNamespace('shop')
const typed = createNamespace<{ userId: string; consent: { marketing: boolean } }>('typed')
const settings = { writeKey: 'KEY' }
const tracking = createTracking({
  settings,
  ambient: clsHookedContext(namespace),
  request: { userId: fromNamespace(namespace, 'userId'), consent: [fromNamespace(namespace, 'consent')] },
})
createTracking({
  settings,
  ambient: clsHookedContext(typed),
  request: { userId: fromNamespace(typed, 'userId') },
})
createTracking({ settings, ambient: fromAsyncLocalStorage(new AsyncLocalStorage<{ userId?: string }>()) })
createTracking({ settings, ambient: false })

createServer((req, res) => {
  const tracker = tracking.handle(req, res)
  tracker.track('order complete', { total: 42 })
  tracker.track('anything goes')
  track(tracker, 'whatever')
  // @ts-expect-error: a name is a string
  tracker.track(42)
  // @ts-expect-error: data is an object
  tracker.track('order complete', 42)
  res.end()
})
