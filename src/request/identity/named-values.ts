import type { Reader } from '../../model/tracked-request.js'
import { checkCookieName, checkHeaderName, shown } from '../names.js'
import { markFactory } from '../reader-factory.js'
import { member, readCookieId, readId } from './id.js'

/**
 * Reads an id that the application keeps in its session: `req.session` (express-session, cookie-session) or
 * `ctx.session` (koa-session).
 *
 * @param path - The member's name, or several separated by dots.
 * @throws TypeError if the path is empty or has an empty part.
 *
 * @example
 * sessionValue('userId') // req.session.userId
 * sessionValue('passport.user') // the result of Passport's serializeUser()
 */
export function sessionValue(path: string): Reader<string> {
  const keys = typeof path === 'string' ? path.split('.') : []
  if (keys.length === 0 || keys.includes('')) {
    throw new TypeError(
      `sessionValue() got ${shown(path)}; it takes the path of a session's member, such as 'userId'`,
    )
  }
  return function sessionValue(request) {
    let value = member(request, 'session')
    for (const key of keys) value = member(value, key)
    return readId(value)
  }
}

markFactory(sessionValue, "sessionValue('userId')")

/**
 * Reads an id from a header that an authenticating proxy in front of the server sets. Anybody can send any header: name
 * only one that the proxy overwrites.
 *
 * A value with a comma is not an id: Node joins repeated headers that way, and nobody can tell whose id that is.
 *
 * @param name - The header's name, in upper or lower case.
 * @throws TypeError if this cannot be a header's name.
 *
 * @example
 * header('x-user-id')
 */
export function header(name: string): Reader<string> {
  checkHeaderName('header', name)
  const key = name.toLowerCase()
  return function header({ headers }) {
    const value = headers[key]
    return typeof value === 'string' && !value.includes(',') ? readId(value) : undefined
  }
}

markFactory(header, "header('x-user-id')")

/**
 * Reads an id from a cookie that holds nothing else, plain or as a JSON string. Anybody can write their own cookies, so
 * use it for an anonymous id, never for a `userId`.
 *
 * JSON objects and signed cookies of cookie-parser (`s:…`) are not ids; read `req.signedCookies` with your own reader.
 *
 * @param name - The cookie's name. Upper and lower case differ.
 * @throws TypeError if this cannot be a cookie's name.
 *
 * @example
 * cookie('visitor_id')
 */
export function cookie(name: string): Reader<string> {
  checkCookieName('cookie', name)
  return function cookie({ cookies }) {
    return readCookieId(cookies.get(name))
  }
}

markFactory(cookie, "cookie('visitor_id')")
