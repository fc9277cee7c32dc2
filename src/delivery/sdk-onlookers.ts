import { memberOf } from '../support/member-of.js'

/** Methods that somebody may replace to see calls: a spy of a test does. */
const METHODS = [
  'track',
  'identify',
  'group',
  'page',
  'screen',
  'alias',
  'emit',
  'on',
  'once',
  'off',
  'register',
] as const

/** Finds out whether the application sees what the SDK's client does with calls. */
export class SdkOnlookers {
  readonly #analytics: object
  readonly #queue: unknown
  readonly #callbacks: unknown
  readonly #methods: readonly unknown[]
  readonly #listeners: number

  /** @param analytics - The client, with no listeners but this package's, and no plugin but the SDK's own. */
  constructor(analytics: object) {
    this.#analytics = analytics
    this.#queue = memberOf(analytics, '_queue')
    this.#callbacks = memberOf(analytics, 'callbacks')
    this.#methods = METHODS.map((name) => Reflect.get(analytics, name))
    this.#listeners = countListeners(this.#callbacks)
  }

  /** Whether the client has a plugin, a listener or a method of the application's; also where nobody can tell. */
  get areThere(): boolean {
    const plugins = memberOf(this.#queue, 'plugins')
    if (!Array.isArray(plugins) || plugins.length !== 1 || this.#listeners === 0) return true
    return countListeners(this.#callbacks) !== this.#listeners || this.#isPatched()
  }

  #isPatched(): boolean {
    for (let index = 0; index < METHODS.length; index++) {
      const name = METHODS[index]
      if (name && Reflect.get(this.#analytics, name) !== this.#methods[index]) return true
    }
    return false
  }
}

/** Whether anybody listens to an event of the client; also where nobody can tell. */
export function hasListeners(analytics: object, event: string): boolean {
  const listeners = memberOf(memberOf(analytics, 'callbacks'), event)
  return Array.isArray(listeners) ? listeners.length > 0 : listeners !== undefined
}

function countListeners(callbacks: unknown): number {
  let count = 0
  if (typeof callbacks !== 'object' || callbacks === null) return count
  for (const event in callbacks) {
    const listeners: unknown = callbacks[event as keyof typeof callbacks]
    if (Array.isArray(listeners)) count += listeners.length
  }
  return count
}
