import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tracking } from '../tracking.js'
import { Inspector, type InspectorOptions } from './inspector.js'

/** The part of Koa's context that the inspector uses. */
export interface InspectorContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly path: string
  respond?: boolean | undefined
}

/** A middleware, as Koa 2 and 3 take it. */
export type InspectorMiddleware = (ctx: InspectorContext, next: () => Promise<unknown>) => Promise<unknown>

/** How an inspector is mounted in Koa, which has no mount paths of its own. */
export interface KoaInspectorOptions extends InspectorOptions<InspectorContext> {
  /** The path to serve the page at. Defaults to `/__reqtrack`; below `koa-mount` give `/`. */
  path?: string
}

/**
 * The inspector for Koa: see {@link inspector}.
 *
 * @param tracking - What `createTracking` made.
 * @throws If `NODE_ENV` is `production` and there is no `authorize`.
 *
 * @example
 * app.use(koaInspector(tracking, { path: '/__reqtrack' }))
 */
export function koaInspector(tracking: Tracking, options: KoaInspectorOptions = {}): InspectorMiddleware {
  const mounted = new Inspector(tracking, options, 'koaInspector')
  const prefix = (options.path ?? '/__reqtrack').replace(/\/$/, '')
  return async function reqtrackInspector(ctx, next) {
    const isBelow = ctx.path === prefix || ctx.path.startsWith(`${prefix}/`)
    const path = ctx.path.slice(prefix.length)
    if (!isBelow || !mounted.handle(path, ctx, ctx.req, ctx.res)) return next()
    // The inspector writes to Node's response itself, so Koa must not write another.
    ctx.respond = false
  }
}
