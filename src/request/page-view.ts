import type { ServerResponse } from 'node:http'
import { readPage } from './page.js'
import { isBot, isPrefetch } from './skip.js'
import type { TrackedRequest } from './tracked-request.js'

const NO_QUERY = { query: [] }

/**
 * What a Segment `page` is told of a request that has shown somebody a page: a GET that was answered with HTML and a
 * status below 400, and that neither a bot sent nor a browser on suspicion.
 *
 * @returns The call's properties, or `undefined` where no page was viewed.
 */
export function viewedPage(request: TrackedRequest, response: ServerResponse): object | undefined {
  if (request.method !== 'GET' || response.statusCode >= 400 || !isHtml(response)) return undefined
  if (isBot(request) || isPrefetch(request)) return undefined
  return readPage(request, NO_QUERY) ?? {}
}

function isHtml(response: ServerResponse): boolean {
  const type = response.getHeader('content-type')
  return typeof type === 'string' && /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(type)
}
