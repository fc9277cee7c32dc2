import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import {
  type CookieCreation,
  type CookieCreationOptions,
  createsAnonymousId,
  openCreation,
} from './cookie-creation.js'
import { readCookieId } from './id.js'

/** The cookie in which analytics.js keeps a visitor's anonymous id. */
const COOKIE_NAME = 'ajs_anonymous_id'

/** A reader that can also make the id which it would read. */
export type CreatingReader = Reader<string> & {
  /** Only there if the reader was asked to create ids. */
  readonly [createsAnonymousId]?: CookieCreation
}

/**
 * The anonymous id of Segment's analytics.js, from its cookie `ajs_anonymous_id`; the default for `anonymousId`. Both
 * forms are read: plain, and the percent-encoded JSON string of its first version.
 *
 * With `create` the server makes an id for those who have none and sets the cookie as analytics.js would, which then goes on
 * with this id. It does so in requests that track something (with `pageViews`, a page is enough), only while the response's
 * headers are unsent, with consent that is known without waiting, and neither for bots nor for what a browser loads ahead
 * of time. Of other cookies it replaces none; only `Set-Cookie` given to `writeHead()` itself replaces it. The first answers to a new visitor's parallel requests may
 * still set different ids; the last one stays.
 *
 * A response with the cookie must not be kept by a shared cache, as no response with `Set-Cookie` must.
 *
 * @param options - `create`: see {@link CookieCreationOptions}.
 * @throws TypeError where an option of `create` cannot work.
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
  if (!options.create) return reader(() => undefined)
  const creation = openCreation(COOKIE_NAME, options.create)
  return Object.assign(
    reader((request) => creation.created(request)),
    { [createsAnonymousId]: creation },
  )
}

function reader(created: (request: TrackedRequest) => string | undefined): Reader<string> {
  return function segmentCookie(request) {
    return readCookieId(request.cookies.get(COOKIE_NAME)) ?? created(request)
  }
}
