import type { RequestListener } from 'node:http'
import type { Tracking, TrackingConfig } from '../../src/index.js'
import type { Journey } from './journeys.js'

/** A shop of `examples/`, as the demo runs it. */
export interface Shop {
  readonly framework: string
  /** How `npm run` starts this demo. */
  readonly script: string
  /** What there is to see in the inspector. */
  readonly hint?: string
  /** What its visitors do, where that is not what those of every shop do. */
  readonly journeys?: readonly Journey[]
  createTracking(config: TrackingConfig): Tracking
  createListener(tracking: Tracking): RequestListener | Promise<RequestListener>
  /** Starts what belongs to it besides, such as a worker; that tracks to the endpoint, too. */
  open?(endpoint: string): Promise<void>
  /** Waits until that has done its work, and ends it. */
  close?(): Promise<void>
}

/** The shops by the names that the command line has for them. Only the one that is asked for is loaded. */
export const shops: Readonly<Record<string, () => Promise<Shop>>> = {
  async express() {
    const { createApp } = await import('../../examples/express/app.js')
    const { createShopTracking } = await import('../../examples/express/tracking.js')
    return {
      framework: 'Express',
      script: 'demo',
      hint: 'Its tracking plan finds a fault with what the link “A page that fails” tracks.',
      createTracking: createShopTracking,
      createListener: createApp,
    }
  },
  async koa() {
    const { createApp } = await import('../../examples/koa/app.js')
    const { createShopTracking } = await import('../../examples/shop/tracking.js')
    return {
      framework: 'Koa',
      script: 'demo:koa',
      createTracking: createShopTracking,
      createListener: (tracking) => createApp(tracking).callback(),
    }
  },
  async fastify() {
    const { createApp } = await import('../../examples/fastify/app.js')
    const { createShopTracking } = await import('../../examples/shop/tracking.js')
    return {
      framework: 'Fastify',
      script: 'demo:fastify',
      createTracking: createShopTracking,
      async createListener(tracking) {
        const app = createApp(tracking)
        await app.ready()
        return (req, res) => app.routing(req, res)
      },
    }
  },
  async nestjs() {
    const { createApp } = await import('../../examples/nestjs/app.js')
    const { createShopTracking } = await import('../../examples/shop/tracking.js')
    return {
      framework: 'NestJS',
      script: 'demo:nestjs',
      createTracking: createShopTracking,
      async createListener(tracking) {
        const app = await createApp(tracking)
        await app.init()
        return app.getHttpAdapter().getInstance()
      },
    }
  },
}
