import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { checkOptions } from '../reader-options.js'
import {
  type CookieCreation,
  type CookieCreationOptions,
  createsAnonymousId,
  openCreation,
} from './cookie-creation.js'
import { readCookieId } from './id.js'

/** The cookie of analytics.js that holds a visitor's anonymous id. */
const COOKIE_NAME = 'ajs_anonymous_id'

/** A reader that can also create the id that it reads. */
export type CreatingReader = Reader<string> & {
  /** Present if the reader creates ids. */
  readonly [createsAnonymousId]?: CookieCreation
}

/**
 * Reads the anonymous id of Segment's analytics.js from its cookie `ajs_anonymous_id`, plain or as the percent-encoded
 * JSON string of its first version. It is the default for `anonymousId`.
 *
 * With `create` the server makes an id for visitors without one and sets the cookie as analytics.js would, which then
 * goes on with this id. It does so only in requests that track something (with `pageViews`, a page is enough), while the
 * response's headers are unsent, with a consent that is known without waiting, and neither for bots nor for prefetches.
 *
 * It never replaces other cookies; only `Set-Cookie` given to `writeHead()` itself replaces it. The responses to a new
 * visitor's parallel requests may set different ids; the browser keeps the last one. A shared cache must not store a
 * response with the cookie, as with any `Set-Cookie`.
 *
 * @param options - `create`: see {@link CookieCreationOptions}.
 * @throws TypeError if an option of `create` cannot work.
 *
 * @example
 * createTracking({
 *   settings,
 *   request: {
 *     anonymousId: segmentCookie({ create: { domain: 'example.com', consent: 'analytics' } }),
 *     consent: oneTrust(),
 *   },
 * })
 */
export function segmentCookie(options: { create?: CookieCreationOptions } = {}): CreatingReader {
  checkOptions<{ create?: CookieCreationOptions }>('segmentCookie', options, { create: () => [] })
  if (options.create === undefined) return reader(() => undefined)
  const creation = openCreation(COOKIE_NAME, options.create)
  return Object.assign(
    reader((request) => creation.created(request)),
    { [createsAnonymousId]: creation },
  )
}

markFactory(segmentCookie, 'segmentCookie()')

function reader(created: (request: TrackedRequest) => string | undefined): Reader<string> {
  return function segmentCookie(request) {
    return readCookieId(request.cookies.get(COOKIE_NAME)) ?? created(request)
  }
}
