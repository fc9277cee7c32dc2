import { IncomingMessage, ServerResponse } from 'node:http'

/** Where an object whose prototype was changed shares no hidden class with any other, until it is a dictionary. */
const IS_NEEDED = ['20', '22'].includes(process.versions.node.split('.', 1)[0] ?? '')

const first = Symbol('first')
const second = Symbol('second')

/**
 * Makes requests look alike to V8 again after a framework has changed their prototype, as Express does: on Node 20 and 22
 * each of them gets a hidden class of its own, and another with every property that is added. Nothing that V8 has learned
 * of one request then serves the next, and whatever touches it, the framework included, looks everything up anew: two
 * thirds of what Express takes on those versions. Objects that are dictionaries share one class, and taking a property
 * out that is not the last makes one of an object. Nothing of it is left to be seen.
 *
 * V8 keeps these classes in a small cache by the hashes of the prototypes. In one process of some twenty two of them fall on
 * one place: there nothing is won, and nothing lost.
 */
export function shareShape(message: IncomingMessage | ServerResponse): void {
  if (!IS_NEEDED || !hasOtherPrototype(message)) return
  try {
    // Unlike an assignment, these throw at no object that is frozen.
    Reflect.set(message, first, undefined)
    Reflect.set(message, second, undefined)
    Reflect.deleteProperty(message, first)
    Reflect.deleteProperty(message, second)
  } catch {
    // A proxy's traps may throw. It is served as it is.
  }
}

/** Whether an object of Node's HTTP/1 server has another prototype than Node gave it. */
function hasOtherPrototype(message: IncomingMessage | ServerResponse): boolean {
  const prototype: unknown = Object.getPrototypeOf(message)
  if (prototype === IncomingMessage.prototype || prototype === ServerResponse.prototype) return false
  return message instanceof IncomingMessage || message instanceof ServerResponse
}
