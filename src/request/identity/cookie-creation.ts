import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { WalkerOS } from '@walkeros/core'
import { serialize } from 'cookie'
import type { TrackedRequest } from '../../model/tracked-request.js'
import { beforeHead } from '../response-head.js'
import { isBot, isPrefetch } from '../skip.js'

/** What analytics.js gives its cookies. */
const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60
const MAX_DOMAIN_LENGTH = 253
/** One label of a host name: RFC 1123, section 2.1. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const SAME_SITE = ['lax', 'strict', 'none'] as const

/** How the server sets an anonymous id that a visitor does not have yet. */
export interface CookieCreationOptions {
  /**
   * The cookie's `Domain`: the registrable domain, such as `example.com`, under which analytics.js looks for it, in ASCII.
   * The browser drops the cookie if the site is not on this domain, and every request then gets a new id.
   *
   * By default the cookie has none and is this host's only; analytics.js then writes a second one beside it.
   */
  readonly domain?: string
  /** The walkerOS consent key that allows it, or several of which one is enough, as everywhere in walkerOS. */
  readonly consent: string | readonly string[]
  /** Seconds that the cookie lasts. Defaults to one year, as with analytics.js; browsers cut it at 400 days. */
  readonly maxAge?: number
  /** Whether the cookie is sent over HTTPS only. Defaults to `false`, as with analytics.js. */
  readonly secure?: boolean
  /** With which requests from other sites the cookie is sent. Defaults to `'lax'`; `'none'` takes `secure`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
}

/**
 * The key under which a reader keeps its {@link CookieCreation}. It is registered, so that copies of this package in one
 * process know each other's readers.
 */
export const createsAnonymousId: unique symbol = Symbol.for('reqtrack.createsAnonymousId')

/** Makes anonymous ids for visitors without one. */
export interface CookieCreation {
  /**
   * Makes an id and sets it on the response, once a request. It never throws.
   *
   * @param request - What the reader found no id in. From here on the reader answers with the created id.
   * @param response - Node's response, its headers still unsent.
   * @param consent - The request's consent state as far as it is known.
   * @returns The id, the same as before where this request has one already; `undefined` where none may be made.
   */
  create(request: TrackedRequest, response: ServerResponse, consent: WalkerOS.Consent): string | undefined
  /**
   * Takes an id and its cookie back where the consent, which has changed, no longer allows them. It never throws, and
   * does nothing once the headers are sent.
   */
  withdraw(request: TrackedRequest, response: ServerResponse, consent: WalkerOS.Consent): void
}

interface RememberingCreation extends CookieCreation {
  /** The id that was made for a request. */
  created(request: TrackedRequest): string | undefined
}

/**
 * Checks the options and gets ready to create a cookie.
 *
 * @param name - The cookie's name.
 * @throws TypeError where an option cannot work.
 */
export function openCreation(name: string, options: CookieCreationOptions): RememberingCreation {
  const attributes = checkAttributes(options)
  const keys = checkConsent(options.consent)
  const ids = new WeakMap<TrackedRequest, string>()
  const isAllowed = (consent: WalkerOS.Consent) =>
    keys.some((key) => Object.hasOwn(consent, key) && consent[key] === true)
  return {
    created: (request) => ids.get(request),
    create(request, response, consent) {
      const known = ids.get(request)
      if (known !== undefined) return known
      if (response.headersSent || !isAllowed(consent)) return undefined
      if (isBot(request) || isPrefetch(request)) return undefined
      const id = randomUUID()
      const cookie = serialize(name, id, attributes)
      if (!addCookie(response, name, cookie)) return undefined
      // A handler may still set other cookies in the place of all that are there.
      beforeHead(response, () => {
        if (ids.get(request) === id) addCookie(response, name, cookie)
      })
      ids.set(request, id)
      return id
    },
    withdraw(request, response, consent) {
      const id = ids.get(request)
      if (id === undefined || response.headersSent || isAllowed(consent)) return
      ids.delete(request)
      removeCookie(response, serialize(name, id, attributes))
    },
  }
}

/** Adds a cookie to those that the response sets already, unless the application sets this one itself. */
function addCookie(response: ServerResponse, name: string, cookie: string): boolean {
  try {
    const existing = response.getHeader('set-cookie') ?? []
    const cookies = Array.isArray(existing) ? existing : [String(existing)]
    if (cookies.some((other) => other.startsWith(`${name}=`))) return false
    // A new array: the one that is there may be the application's and serve all of its responses.
    response.setHeader('Set-Cookie', [...cookies, cookie])
    return true
  } catch {
    return false
  }
}

/** Takes exactly this cookie away from those that the response sets. */
function removeCookie(response: ServerResponse, cookie: string): void {
  try {
    const existing = response.getHeader('set-cookie')
    if (!Array.isArray(existing)) return
    const rest = existing.filter((other) => other !== cookie)
    if (rest.length > 0) response.setHeader('Set-Cookie', rest)
    else response.removeHeader('Set-Cookie')
  } catch {
    // Like setting it, this is not to change what the application answers.
  }
}

function checkAttributes(options: CookieCreationOptions) {
  const { domain, maxAge = ONE_YEAR_SECONDS, secure = false, sameSite = 'lax' } = options
  if (domain !== undefined && !isDomain(domain)) {
    throw new TypeError(
      `segmentCookie({ create }) got the domain ${JSON.stringify(domain)}; ` +
        `it takes a host name in ASCII, without scheme and port, such as 'example.com'`,
    )
  }
  if (!Number.isSafeInteger(maxAge) || maxAge <= 0) {
    throw new TypeError(
      `segmentCookie({ create }) got the maxAge ${maxAge}; it takes whole seconds, at least 1`,
    )
  }
  if (!SAME_SITE.includes(sameSite)) {
    throw new TypeError(
      `segmentCookie({ create }) got the sameSite ${JSON.stringify(sameSite)}; it takes 'lax', 'strict' or 'none'`,
    )
  }
  if (sameSite === 'none' && !secure) {
    throw new TypeError(
      `segmentCookie({ create }) got sameSite 'none' without secure; browsers refuse such a cookie, so set secure: true`,
    )
  }
  return { domain, maxAge, secure, sameSite, path: '/' }
}

function isDomain(domain: unknown): boolean {
  if (typeof domain !== 'string' || domain.length > MAX_DOMAIN_LENGTH || isIP(domain) !== 0) return false
  // RFC 6265, section 5.2.3: a leading dot is allowed and means nothing.
  const labels = domain.replace(/^\./, '').split('.')
  return labels.every((label) => LABEL.test(label))
}

function checkConsent(consent: string | readonly string[]): readonly string[] {
  const keys = typeof consent === 'string' ? [consent] : consent
  if (
    !Array.isArray(keys) ||
    keys.length === 0 ||
    !keys.every((key) => typeof key === 'string' && key !== '')
  ) {
    throw new TypeError(
      `segmentCookie({ create }) got no consent; it takes the walkerOS key that allows the cookie, such as 'analytics'`,
    )
  }
  return [...keys]
}
