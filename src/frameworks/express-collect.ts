import type { ServerResponse } from 'node:http'
import type { Answer, CollectOptions } from '../collect/index.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { collectorsOf } from './collectors.js'
import { type ExpressRequest, express, type RequestHandler, type TenantRequest } from './express-request.js'
import type { TenantTracking } from './tenants.js'

/**
 * Makes an endpoint for what happens in browsers: events of walkerOS and calls of Segment's analytics.js, taken as events of
 * the request that brings them. The request's own readers say who it is and what they agreed to; a body is believed neither.
 *
 * It answers by itself. Events that browsers may not track are dropped with the reason `refused`.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @param options - Which events browsers may track, from which pages, and how many of them.
 * @throws TypeError for options that cannot be meant so.
 *
 * @example
 * app.use(expressTracking(tracking))
 * app.use('/collect', expressCollect(tracking, { events: ['product view', 'page view'] }))
 */
export function expressCollect<Request extends object = TenantRequest>(
  tracking: Tracking | TenantTracking<Request>,
  options: CollectOptions,
): RequestHandler {
  const collectorOf = collectorsOf(tracking, 'expressCollect', options)
  return function reqtrackCollect(req: CollectedRequest, res) {
    // Express hands over the request that the application's types say.
    const { inside, collector } = collectorOf(req as CollectedRequest & Request)
    const tracker = inside.attach(express, req, req, res)
    const path = (req.url ?? '').split('?', 1)[0] ?? ''
    const answered = collector.answer({ message: req, tracker, path, parsed: req.body })
    // It never rejects: whatever fails has an answer.
    void answered.then((answer) => send(answer, res, inside))
  }
}

/** Express's request, with what a body parser has left there. */
interface CollectedRequest extends ExpressRequest {
  readonly body?: unknown
}

function send({ status, headers, body }: Answer, res: ServerResponse, { fault }: TrackingInternals): void {
  // Somebody else has answered in the meantime, such as a timeout.
  if (res.headersSent || res.destroyed) return
  try {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    res.writeHead(status, { ...headers, ...length })
    res.end(body)
  } catch (error) {
    // What an application has made of its response may throw, and nobody awaits this.
    fault('an answer to a browser could not be sent', error)
  }
}
