import type { IncomingMessage, ServerResponse } from 'node:http'

/** Whether the server has handed over the connection; Node marks it with an undocumented property. */
export function isUpgraded(request: IncomingMessage): boolean {
  return 'upgrade' in request && request.upgrade === true
}

/** Whether a response is on no connection, or on none yet. */
export function hasNoConnection(response: ServerResponse): boolean {
  return !response.socket
}

/** Whether a request has ended before anybody could listen. */
export function hasEnded(request: IncomingMessage, response: ServerResponse): boolean {
  return (
    isSent(response) ||
    response.destroyed ||
    (hasNoConnection(response) && request.socket?.destroyed === true)
  )
}

/** Whether a request has ended although no event has told: looks at everything that may say so. */
export function hasEndedUnheard(request: IncomingMessage, response: ServerResponse): boolean {
  return isSent(response) || response.destroyed || response.closed || request.socket?.destroyed === true
}

/** The status of a response that has emitted `finish`, as HTTP/2 does for a stream that was reset, too. */
export function statusAtFinish(request: IncomingMessage, response: ServerResponse): number | undefined {
  // `aborted` is deprecated, but the one flag that is right for HTTP/1 and HTTP/2 on every Node from 20 on.
  return request.aborted ? undefined : response.statusCode
}

/** The status of a response that is closed; `undefined` if it was not sent to its end before. */
export function statusAtClose(request: IncomingMessage, response: ServerResponse): number | undefined {
  return isSent(response) ? statusAtFinish(request, response) : undefined
}

/** Whether a response has our listeners: those of tests and adapters may take none, or keep no count. */
export function hearsFinish(response: ServerResponse): boolean {
  return typeof response.listenerCount === 'function' && response.listenerCount('finish') > 0
}

/** Whether a response tells its state in a property. */
export function tellsState(response: Partial<ServerResponse>): boolean {
  const states = [response.writableFinished, response.writableEnded, response.finished, response.destroyed]
  return states.some((state) => typeof state === 'boolean')
}

/** Responses that are not Node's may know only that they were ended. */
function isSent(response: Partial<ServerResponse>): boolean {
  return response.writableFinished ?? response.writableEnded ?? response.finished === true
}
