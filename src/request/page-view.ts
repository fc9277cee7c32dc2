import type { TrackedRequest } from '../model/tracked-request.js'
import { loadsDocument, loadsPage } from './page.js'
import { beforeHead, type OutgoingResponse, type ResponseHead } from './response-head.js'
import { isBot, isPrefetch } from './skip.js'

const NOT_MODIFIED = 304
const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i

/**
 * Finds out whether a request shows somebody a page: a GET that loads a page, not a part of one for a script such as htmx or
 * Turbo, that is answered with HTML and a status below 400, and that is neither a bot's nor a prefetch.
 *
 * A redirect shows nothing, whatever its body is. After a 304 the browser shows its own copy; that answer has no content
 * type, so it counts if the browser asked for a document.
 *
 * @param shown - Called before the headers of such a page go out.
 * @returns A function that says at the end, given the status, whether a page was shown.
 */
export function watchPage(
  request: TrackedRequest,
  response: OutgoingResponse,
  shown: () => void,
): (status: number) => boolean {
  if (request.method !== 'GET') return () => false
  let contentType: unknown
  beforeHead(response, (head) => {
    contentType = head.contentType
    if (showsPage(request, head)) shown()
    return undefined
  })
  return (status) =>
    showsPage(request, { status, contentType: contentType ?? response.getHeader('content-type') })
}

function showsPage(
  request: TrackedRequest,
  { status, contentType }: Pick<ResponseHead, 'status' | 'contentType'>,
): boolean {
  const isPage =
    status === NOT_MODIFIED
      ? loadsDocument(request.headers) === true
      : status < 300 && typeof contentType === 'string' && HTML.test(contentType) && loadsPage(request)
  return isPage && !isBot(request) && !isPrefetch(request)
}
