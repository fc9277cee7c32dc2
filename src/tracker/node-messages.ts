import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { isInstance } from '../support/instance.js'
import { nodeHttp } from '../support/node-modules.js'
import { kindOf } from './given-kinds.js'

/**
 * Says what is wrong with the request and response that were given for those of a Node server. Whatever has headers counts as
 * a request: HTTP/2's and those of test doubles are no `IncomingMessage`.
 *
 * @returns What was given and expected; `undefined` if nothing is wrong.
 */
export function problemOfMessages(request: unknown, response: unknown): string | undefined {
  const { IncomingMessage: Request, ServerResponse: Response } = nodeHttp()
  if (isInstance(request, Request) && isInstance(response, Response)) return undefined
  const expected = "expected the IncomingMessage and the ServerResponse of Node's HTTP server"
  if (isWebRequest(request)) {
    return `a web-standard Request: ${expected}. A web-standard handler is for withTracking() of reqtrack/fetch`
  }
  if (!isObject(headersOf(request))) return `${kindOf(request)} as the request: ${expected}`
  return isObject(response) ? undefined : `${kindOf(response)} as the response: ${expected}`
}

/** A message of Node's has its headers in a plain object. */
function isWebRequest(request: unknown): boolean {
  return typeof memberOf(headersOf(request), 'get') === 'function'
}

function headersOf(request: unknown): unknown {
  return memberOf(request, 'headers')
}

/** A proxy and a getter may throw when they are looked at. */
function memberOf(value: unknown, name: string): unknown {
  try {
    return isObject(value) ? Reflect.get(value, name) : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A request and a response that stand for those that are none, so that whoever has their tracker can go on. */
export function standIns(): { readonly request: IncomingMessage; readonly response: ServerResponse } {
  const http = nodeHttp()
  const request = new http.IncomingMessage(new Socket())
  return { request, response: new http.ServerResponse(request) }
}
