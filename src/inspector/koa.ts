import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tracking } from '../tracker/tracking.js'
import { Inspector } from './inspector.js'
import type { InspectorOptions } from './options.js'

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
 * @throws If `NODE_ENV` is `production` and there is no `authorize`, and TypeError for an option that is unknown or
 * unfit.
 *
 * @example
 * app.use(koaInspector(tracking, { path: '/__reqtrack' }))
 */
export function koaInspector(tracking: Tracking, options: KoaInspectorOptions = {}): InspectorMiddleware {
  const mounted = new Inspector(tracking, options, 'koaInspector', ['path'])
  const { path: at = '/__reqtrack' } = options
  if (typeof at !== 'string' || !at.startsWith('/')) {
    throw new TypeError(
      `koaInspector: path is ${JSON.stringify(at)}; expected one that begins with a slash, such as "/__reqtrack"`,
    )
  }
  const prefix = at.replace(/\/$/, '')
  return async function reqtrackInspector(ctx, next) {
    const isBelow = ctx.path === prefix || ctx.path.startsWith(`${prefix}/`)
    const path = ctx.path.slice(prefix.length)
    if (!isBelow || !mounted.handle(path, ctx, ctx.req, ctx.res)) return next()
    // The inspector writes to Node's response itself, so Koa must not write another.
    ctx.respond = false
  }
}
