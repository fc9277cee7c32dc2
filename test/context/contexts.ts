import { AsyncLocalStorage } from 'node:async_hooks'
import { createNamespace, destroyNamespace } from 'cls-hooked'
import { onTestFinished } from 'vitest'
import { clsHookedContext, fromNamespace } from '../../src/context/cls-hooked.js'
import { type ContextAdapter, fromAsyncLocalStorage, type Reader } from '../../src/index.js'

/** What the application knows of a visitor, in a context of its own. */
export interface Visitor {
  readonly userId: string
  readonly consent: Record<string, boolean>
}

/** A way to carry the running request's tracker, and an application's context beside it. */
export interface Context {
  readonly ambient?: ContextAdapter
  /** Begins the application's context, before the tracking. */
  readonly begin: <T>(next: () => T) => T
  /** Puts the visitor into the application's context. */
  readonly remember: (visitor: Visitor) => void
  readonly userId: Reader<string>
  readonly consent: Reader<Record<string, boolean>>
}

let namespaces = 0

/** A namespace that is destroyed when the test ends. */
export function namespace() {
  const name = `test ${++namespaces}`
  onTestFinished(() => destroyNamespace(name))
  return createNamespace(name)
}

function storageContext(ambient?: (storage: AsyncLocalStorage<object>) => ContextAdapter): Context {
  const storage = new AsyncLocalStorage<Partial<Visitor>>()
  return {
    ...(ambient && { ambient: ambient(storage) }),
    begin: (next) => storage.run({}, next),
    remember: (visitor) => Object.assign(storage.getStore() ?? {}, visitor),
    userId: () => storage.getStore()?.userId,
    consent: () => storage.getStore()?.consent,
  }
}

function namespaceContext(begins: 'the application' | 'the tracking'): Context {
  const shop = namespace()
  return {
    ambient: clsHookedContext(shop),
    begin: (next) => (begins === 'the application' ? shop.runAndReturn(() => next()) : next()),
    remember: ({ userId, consent }) => {
      shop.set('userId', userId)
      shop.set('consent', consent)
    },
    userId: fromNamespace(shop, 'userId'),
    consent: fromNamespace(shop, 'consent'),
  }
}

/** All ways that there are. */
export const contexts: readonly { readonly name: string; open(): Context }[] = [
  { name: 'the default context', open: () => storageContext() },
  { name: "an AsyncLocalStorage of the application's", open: () => storageContext(fromAsyncLocalStorage) },
  {
    name: 'a cls-hooked context that the application began',
    open: () => namespaceContext('the application'),
  },
  { name: 'a cls-hooked context that the tracking began', open: () => namespaceContext('the tracking') },
]
