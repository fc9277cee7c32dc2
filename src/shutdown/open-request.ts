import { Socket } from 'node:net'
import { nodeHttp } from '../support/node-modules.js'

/** The undocumented property in which Node keeps the response that a connection carries. */
const RESPONSE = '_httpMessage'
/** The undocumented property in which Node keeps the parser of an HTTP/1 connection, until an upgrade. */
const PARSER = 'parser'

let canTell: boolean | undefined

/**
 * Whether an HTTP/1 connection carries no request: its client has sent nothing yet, half a request head, or the rest of a
 * body that was answered before. Node says so in undocumented properties only; a Node without them gets `false`.
 */
export function hasNoRequest(socket: Socket): boolean {
  canTell ??= marksResponses()
  return canTell && Boolean(Reflect.get(socket, PARSER)) && !Reflect.get(socket, RESPONSE)
}

/** Whether this Node marks the connections that carry a response: otherwise busy ones would look idle. */
function marksResponses(): boolean {
  const { IncomingMessage, ServerResponse } = nodeHttp()
  const socket = new Socket()
  const response = new ServerResponse(new IncomingMessage(socket))
  response.assignSocket(socket)
  const isMarked = Reflect.get(socket, RESPONSE) === response
  response.detachSocket(socket)
  socket.destroy()
  return isMarked && Reflect.get(socket, RESPONSE) !== response
}
