import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** A request of Node's own making, without a connection: everything between HTTP and Segment can be run on it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Headers that browsers send, and those that the scenarios read. */
export const HEADERS: Readonly<Record<string, string>> = {
  host: 'shop.example',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'accept-language': 'de-DE,de;q=0.9,en;q=0.8',
  referer: 'https://shop.example/cart',
  'sec-fetch-dest': 'empty',
  'x-consent': 'analytics',
  'x-user-id': 'user-4711',
}

export function exchange(userId?: string): Exchange {
  const socket = new Socket()
  const request = new IncomingMessage(socket)
  request.method = 'POST'
  request.url = '/orders?utm_source=mail'
  Object.assign(request.headers, HEADERS, userId && { 'x-user-id': userId })
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  return { request, response }
}

/** Ends a request as Node does when the response has gone out. */
export function end({ response }: Exchange): void {
  response.emit('finish')
}
