import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeHttp } from '../support/node-modules.js'

/** On these versions an object with a changed prototype shares no hidden class with others, until it is a dictionary. */
const IS_NEEDED = ['20', '22'].includes(process.versions.node.split('.', 1)[0] ?? '')

const first = Symbol('first')
const second = Symbol('second')

/**
 * Gives requests a common hidden class again after a framework has changed their prototype, as Express does. On Node 20
 * and 22 each of them then has a hidden class of its own, and another with every added property, so V8's inline caches never
 * hit, in the framework either: that is two thirds of Express's time on those versions. Dictionary objects share one class,
 * and deleting a property that is not the last turns an object into one. The trick leaves no property behind.
 *
 * V8 caches these classes by the hashes of the prototypes. In about one process in twenty, two prototypes collide
 * there, and the trick has no effect.
 */
export function shareShape(message: IncomingMessage | ServerResponse): void {
  if (!IS_NEEDED) return
  try {
    if (!hasOtherPrototype(message)) return
    // Unlike an assignment, these do not throw on a frozen object.
    Reflect.set(message, first, undefined)
    Reflect.set(message, second, undefined)
    Reflect.deleteProperty(message, first)
    Reflect.deleteProperty(message, second)
  } catch {
    // A proxy's traps may throw; it stays as it is.
  }
}

/** Whether an object of Node's HTTP/1 server has lost its original prototype. */
function hasOtherPrototype(message: IncomingMessage | ServerResponse): boolean {
  const { IncomingMessage, ServerResponse } = nodeHttp()
  const prototype: unknown = Object.getPrototypeOf(message)
  if (prototype === IncomingMessage.prototype || prototype === ServerResponse.prototype) return false
  return message instanceof IncomingMessage || message instanceof ServerResponse
}
