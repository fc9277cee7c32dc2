import type { IncomingMessage } from 'node:http'
import { type Framework, hostOf, nodeFramework, schemeOf } from './message-request.js'
import {
  addressThrough,
  compileTrust,
  firstForwarded,
  type Trust,
  type TrustProxy,
} from './trusted-proxies.js'

/** A server has one or two settings; a setting that is new with every request is not kept. */
const MAX_KEPT = 16

/** Makes what reads Node's own requests behind trusted proxies. Kept for each setting, which comes with every request. */
export class ProxiedNode {
  readonly #kept = new Map<unknown, Framework<IncomingMessage>>()

  /**
   * The reader of requests under a setting.
   *
   * @throws TypeError for a setting that cannot work.
   */
  under(trustProxy: TrustProxy): Framework<IncomingMessage> {
    const key = Array.isArray(trustProxy) ? trustProxy.join() : trustProxy
    const known = this.#kept.get(key)
    if (known) return known
    const made = proxiedNode(compileTrust(trustProxy))
    if (this.#kept.size < MAX_KEPT && typeof key !== 'function') this.#kept.set(key, made)
    return made
  }
}

function proxiedNode(trust: Trust): Framework<IncomingMessage> {
  const trustsProxy = (message: IncomingMessage) => trust(message.socket?.remoteAddress, 0)
  return {
    ...nodeFramework,
    trustsProxy,
    namesProxies: () => true,
    ip: (message) => addressThrough(trust, message.socket?.remoteAddress, message.headers['x-forwarded-for']),
    origin(message) {
      if (!trustsProxy(message)) return nodeFramework.origin(message)
      const { headers } = message
      const scheme = firstForwarded(headers['x-forwarded-proto']) ?? schemeOf(message)
      return `${scheme}://${firstForwarded(headers['x-forwarded-host']) ?? hostOf(message)}`
    },
  }
}
