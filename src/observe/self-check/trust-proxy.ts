import type { Say } from './finding.js'

/** Enough requests for one of them to have come through a proxy, if there is one. */
const MOST_REQUESTS = 1_000

/** What the check asks of a request. */
export interface ProxiedRequest {
  readonly isForwarded: boolean
  /** Whether the application has said which proxies it trusts. */
  readonly namesProxies: boolean
}

/** Finds that requests come through a proxy, and nobody has said which proxies to trust. */
export class TrustProxyCheck {
  readonly #say: Say
  readonly #over: () => void
  #left = MOST_REQUESTS

  /** @param over - Called when it need not see another request. */
  constructor(say: Say, over: () => void) {
    this.#say = say
    this.#over = over
  }

  see({ isForwarded, namesProxies }: ProxiedRequest): void {
    if (isForwarded && !namesProxies) this.#say({ code: 'REQTRACK_NO_TRUST_PROXY', message: MESSAGE })
    if (isForwarded || --this.#left <= 0) this.#over()
  }
}

const MESSAGE =
  'a request came with X-Forwarded-For, and the application trusts no proxy: calls carry the address of the proxy as that of ' +
  "the visitor, and the page's scheme and host as the proxy asked for them. Say which proxies are in front, such as " +
  "app.set('trust proxy', 1) in Express, app.proxy = true in Koa, trustProxy: '10.0.0.0/8' in Fastify, trustProxy: 1 in " +
  'tracking.handle(). ' +
  'If none is in front, a client made the header up, and nothing has to be done.'
