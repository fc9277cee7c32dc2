import type { ServerResponse } from 'node:http'
import type { TrackedRequest } from '../model/tracked-request.js'
import { loadsDocument } from './page.js'
import { beforeHead, type ResponseHead } from './response-head.js'
import { isBot, isPrefetch } from './skip.js'

const NOT_MODIFIED = 304
const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i

/**
 * Watches whether a request shows somebody a page: a GET that is answered with HTML and a status below 400, and that
 * neither a bot sent nor a browser on suspicion.
 *
 * A redirect shows nothing, whatever it says in HTML. A browser that is told that its copy is still right (304) shows it,
 * and with that answer nobody says what it is: there the browser's asking for a document counts.
 *
 * @param shown - Is called before the headers go out if they are those of such a page.
 * @returns Tells at the end, from the status, whether a page was shown.
 */
export function watchPage(
  request: TrackedRequest,
  response: ServerResponse,
  shown: () => void,
): (status: number) => boolean {
  if (request.method !== 'GET') return () => false
  let contentType: unknown
  beforeHead(response, (head) => {
    contentType = head.contentType
    if (showsPage(request, head)) shown()
  })
  return (status) =>
    showsPage(request, { status, contentType: contentType ?? response.getHeader('content-type') })
}

function showsPage(request: TrackedRequest, { status, contentType }: ResponseHead): boolean {
  const isPage =
    status === NOT_MODIFIED
      ? loadsDocument(request.headers) === true
      : status < 300 && typeof contentType === 'string' && HTML.test(contentType)
  return isPage && !isBot(request) && !isPrefetch(request)
}
