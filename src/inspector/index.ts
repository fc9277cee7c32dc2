/**
 * The inspector: a live view of requests, events, calls and deliveries.
 *
 * @packageDocumentation
 */

export { type InspectorHandler, inspector } from './express.js'
export {
  type InspectorContext,
  type InspectorMiddleware,
  type KoaInspectorOptions,
  koaInspector,
} from './koa.js'
export type { InspectorOptions } from './options.js'
