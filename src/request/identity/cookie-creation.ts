import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import type { WalkerOS } from '@walkeros/core'
import { serialize } from 'cookie'
import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import { isListOf } from '../../support/instance.js'
import { explainKey } from '../../support/unknown-key.js'
import { shown } from '../names.js'
import { beforeHead, type OutgoingResponse } from '../response-head.js'
import { isBot, isPrefetch } from '../skip.js'

/** The lifetime that analytics.js gives its cookies. */
const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60
const MAX_DOMAIN_LENGTH = 253
/** One label of a host name: RFC 1123, section 2.1. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const SAME_SITE = ['lax', 'strict', 'none'] as const
const OPTIONS = ['domain', 'consent', 'maxAge', 'secure', 'sameSite']

/** How the server sets an anonymous id for a visitor without one. */
export interface CookieCreationOptions {
  /**
   * The cookie's `Domain`, in ASCII: the registrable domain that analytics.js uses, such as `example.com`. If the site is
   * not on this domain the browser drops the cookie, and every request gets a new id.
   *
   * By default the cookie has no domain and belongs to this host, and the tracking logs a warning: analytics.js writes a
   * second cookie beside it, and its `reset()` does not clear this one, so that the next person on the device has the id
   * of the one before.
   */
  readonly domain?: string
  /** The walkerOS consent key that allows the cookie. Of several keys one is enough, as everywhere in walkerOS. */
  readonly consent: string | readonly string[]
  /** The cookie's lifetime in seconds. Defaults to one year, as with analytics.js; browsers allow at most 400 days. */
  readonly maxAge?: number
  /** Whether the cookie is sent over HTTPS only. Defaults to `false`, as with analytics.js. */
  readonly secure?: boolean
  /** Whether browsers send the cookie with requests from other sites. Defaults to `'lax'`; `'none'` needs `secure`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
}

/**
 * The key of a reader's {@link CookieCreation}. The symbol is registered by name, so copies of this package in one
 * process recognise each other's readers.
 */
export const createsAnonymousId: unique symbol = Symbol.for('reqtrack.createsAnonymousId')

/** Creates anonymous ids for visitors without one. */
export interface CookieCreation {
  /** Describes a set-up that mixes up visitors. The tracking logs it when it starts. */
  readonly warning?: string | undefined
  /**
   * Creates an id and sets it on the response, once a request. It never throws.
   *
   * @param request - A request in which the reader found no id. From now on the reader answers with the created id.
   * @param response - A response with unsent headers.
   * @param consent - The request's consent state, as far as it is known.
   * @returns The request's id, or `undefined` if none may be created.
   */
  create(request: TrackedRequest, response: OutgoingResponse, consent: WalkerOS.Consent): string | undefined
  /**
   * Withdraws an id and its cookie if the changed consent no longer allows them. It never throws, and does nothing once
   * the headers are sent.
   */
  withdraw(request: TrackedRequest, response: OutgoingResponse, consent: WalkerOS.Consent): void
}

const WITHOUT_DOMAIN =
  'segmentCookie({ create }) sets the cookie ajs_anonymous_id without a domain. analytics.js does not clear such a cookie in ' +
  'reset(), for instance at a logout: the next person on that device goes on with the same anonymousId. Set create.domain to ' +
  "the domain that analytics.js uses, such as 'example.com'."

interface RememberingCreation extends CookieCreation {
  /** Returns the id that was created for a request. */
  created(request: TrackedRequest): string | undefined
}

/**
 * Checks the options and prepares the creation of a cookie.
 *
 * @param name - The cookie's name.
 * @throws TypeError if an option cannot work.
 */
export function openCreation(name: string, options: CookieCreationOptions): RememberingCreation {
  const problems = problemsOf(options)
  if (problems.length > 0)
    throw new TypeError(problems.map((problem) => `segmentCookie({ create }) ${problem}`).join('\n'))
  const attributes = attributesOf(options)
  const keys = typeof options.consent === 'string' ? [options.consent] : [...options.consent]
  const ids = new WeakMap<TrackedRequest, string>()
  const isAllowed = (consent: WalkerOS.Consent) =>
    keys.some((key) => Object.hasOwn(consent, key) && consent[key] === true)
  return {
    warning: attributes.domain === undefined ? WITHOUT_DOMAIN : undefined,
    created: (request) => ids.get(request),
    create(request, response, consent) {
      const known = ids.get(request)
      if (known !== undefined) return known
      if (response.headersSent || !isAllowed(consent)) return undefined
      if (isBot(request) || isPrefetch(request)) return undefined
      const id = randomUUID()
      const cookie = serialize(name, id, attributes)
      if (!addCookie(response, name, cookie)) return undefined
      // A handler may still replace the whole list of cookies.
      beforeHead(response, ({ cookies }) => {
        if (ids.get(request) !== id) return undefined
        addCookie(response, name, cookie)
        return cookies && !isAmong(cookies, name) ? cookie : undefined
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

/** Adds a cookie to the response, unless the application sets this one itself. */
function addCookie(response: OutgoingResponse, name: string, cookie: string): boolean {
  try {
    const existing = response.getHeader('set-cookie') ?? []
    const cookies = Array.isArray(existing) ? existing : [String(existing)]
    if (isAmong(cookies, name)) return false
    // The existing array may be the application's and shared by its responses, so this makes a new one.
    response.setHeader('Set-Cookie', [...cookies, cookie])
    return true
  } catch {
    return false
  }
}

function isAmong(cookies: readonly string[], name: string): boolean {
  return cookies.some((cookie) => cookie.startsWith(`${name}=`))
}

/** Removes exactly this cookie from the response. */
function removeCookie(response: OutgoingResponse, cookie: string): void {
  try {
    const existing = response.getHeader('set-cookie')
    if (!Array.isArray(existing)) return
    const rest = existing.filter((other) => other !== cookie)
    if (rest.length > 0) response.setHeader('Set-Cookie', rest)
    else response.removeHeader('Set-Cookie')
  } catch {
    // Removing the cookie must not change the application's response, and neither must setting it.
  }
}

function attributesOf({
  domain,
  maxAge = ONE_YEAR_SECONDS,
  secure = false,
  sameSite = 'lax',
}: CookieCreationOptions) {
  return { domain, maxAge, secure, sameSite, path: '/' }
}

/** Finds everything that is wrong with the options of a creation. */
function problemsOf(options: unknown): readonly string[] {
  if (!isRecord(options)) return [`${given(options)}, expected an object such as { domain, consent }`]
  const { domain, consent, maxAge, secure, sameSite } = options
  const problems = Object.keys(options)
    .filter((key) => !OPTIONS.includes(key))
    .map((key) => `got ${key}: ${explainKey(key, { known: OPTIONS, refused: {}, elsewhere: {} })}`)
  if (!isConsent(consent)) {
    problems.push(`got no consent; it takes the walkerOS key that allows the cookie, such as 'analytics'`)
  }
  if (domain !== undefined && !isDomain(domain)) {
    problems.push(
      `got the domain ${shown(domain)}; ` +
        `it takes a host name in ASCII, without scheme and port, such as 'example.com'`,
    )
  }
  if (maxAge !== undefined && !isAge(maxAge)) {
    problems.push(
      `got the maxAge ${typeof maxAge === 'number' ? maxAge : typeof maxAge}; it takes whole seconds, at least 1`,
    )
  }
  if (secure !== undefined && typeof secure !== 'boolean') {
    problems.push(`got secure: ${given(secure)}, expected true or false`)
  }
  if (sameSite !== undefined && !SAME_SITE.some((known) => known === sameSite)) {
    problems.push(`got the sameSite ${shown(sameSite)}; it takes 'lax', 'strict' or 'none'`)
  }
  if (sameSite === 'none' && secure !== true) {
    problems.push(`got sameSite 'none' without secure; browsers refuse such a cookie, so set secure: true`)
  }
  return problems
}

function isAge(maxAge: unknown): boolean {
  return typeof maxAge === 'number' && Number.isSafeInteger(maxAge) && maxAge > 0
}

function isConsent(consent: unknown): boolean {
  return isKey(consent) || isListOf(consent, isKey)
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== ''
}

function isDomain(domain: unknown): boolean {
  if (typeof domain !== 'string' || domain.length > MAX_DOMAIN_LENGTH || isIP(domain) !== 0) return false
  // RFC 6265, section 5.2.3: a leading dot is allowed and ignored.
  const labels = domain.replace(/^\./, '').split('.')
  return labels.every((label) => LABEL.test(label))
}
