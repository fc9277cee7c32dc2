import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tracking } from '../tracker/tracking.js'
import { Inspector } from './inspector.js'
import type { InspectorOptions } from './options.js'

/** A request handler, as Express 4 and 5 and Connect take it. */
export type InspectorHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * A page for development that shows live what becomes of every event. It records from the moment it is created.
 *
 * The page shows personal data. Without {@link InspectorOptions.authorize} it is open only to this machine.
 *
 * @param tracking - What `createTracking` made.
 * @throws If `NODE_ENV` is `production` and there is no `authorize`, and TypeError for an option that is unknown or
 * unfit.
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
