import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tracking } from '../tracking.js'
import { Inspector, type InspectorOptions } from './inspector.js'

/** A request handler, as Express 4 and 5 and Connect take it. */
export type InspectorHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * The live view of what is tracked: a page for development. It watches from the moment that it is made.
 *
 * It shows personal data to whoever can reach the server.
 *
 * @param tracking - What `createTracking` made.
 * @throws If `NODE_ENV` is `production` and there is no `authorize`.
 *
 * @example
 * app.use('/__reqtrack', inspector(tracking))
 */
export function inspector(tracking: Tracking, options: InspectorOptions = {}): InspectorHandler {
  const mounted = new Inspector(tracking, options, 'inspector')
  return function reqtrackInspector(request, response, next) {
    const [path = ''] = (request.url ?? '').split('?')
    if (!mounted.handle(path, request, request, response)) next()
  }
}
