import type { CollectOptions } from '../collect/index.js'
import { given } from '../support/given.js'
import type { Tracking } from '../tracker/tracking.js'
import { collectorsOf } from './collectors.js'
import { type KoaContext, koa, type TenantContext } from './koa-context.js'
import type { TenantTracking } from './tenants.js'

/** The middleware of a collect endpoint, as Koa 2 and 3 take it. */
export type CollectMiddleware = (ctx: CollectedContext, next: () => Promise<unknown>) => Promise<unknown>

/** What a collect endpoint of Koa lets browsers do, and where it is. */
export interface KoaCollectOptions extends CollectOptions {
  /** The path of the endpoint, such as `/collect`. Requests of other paths pass. */
  readonly path: string
}

/**
 * Makes an endpoint for what happens in browsers: events of walkerOS and calls of Segment's analytics.js, taken as events of
 * the request that brings them. The request's own readers say who it is and what they agreed to; a body is believed neither.
 *
 * It answers the requests of its path by itself. Events that browsers may not track are dropped with the reason `refused`.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @param options - Where the endpoint is, which events browsers may track, from which pages, and how many of them.
 * @throws TypeError for options that cannot be meant so.
 *
 * @example
 * app.use(koaTracking(tracking))
 * app.use(koaCollect(tracking, { path: '/collect', events: ['product view', 'page view'] }))
 */
export function koaCollect<C = TenantContext>(
  tracking: Tracking | TenantTracking<C>,
  options: KoaCollectOptions,
): CollectMiddleware {
  const collectorOf = collectorsOf(tracking, 'koaCollect', options, ['path'])
  const base = baseOf(options.path)
  return async function reqtrackCollect(ctx, next) {
    const { path } = ctx
    if (path !== base && !path.startsWith(`${base}/`)) return next()
    // Koa hands over the context that the application's types say.
    const { inside, collector } = collectorOf(ctx as C)
    const { status, headers, body } = await collector.answer({
      message: ctx.req,
      tracker: inside.attach(koa, ctx, ctx.req, ctx.res),
      path: path.slice(base.length),
      parsed: ctx.request?.rawBody ?? ctx.request?.body,
    })
    ctx.body = body
    // After the body, which sets a type and a status of its own.
    ctx.status = status
    ctx.set(headers)
    return undefined
  }
}

/** Koa's context, with what a body parser has left there. */
export interface CollectedContext extends KoaContext {
  readonly path: string
  readonly request?: { readonly body?: unknown; readonly rawBody?: unknown }
  status: number
  body: unknown
  /** Sets headers of the response. */
  set(headers: Readonly<Record<string, string>>): void
}

/** @throws TypeError for what is no path. */
function baseOf(path: unknown): string {
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new TypeError(
      `koaCollect: path is ${given(path)}: expected one that begins with a slash, such as '/collect'`,
    )
  return path.replace(/\/+$/, '')
}
