export {
  googleAnalyticsCookie,
  googleTagServerCookie,
  matomoCookie,
  rudderStackCookie,
  snowplowCookie,
  walkerOSCookies,
} from './analytics-cookies.js'
export { type CookieCreation, type CookieCreationOptions, createsAnonymousId } from './cookie-creation.js'
export { cookie, header, sessionValue } from './named-values.js'
export { amplitudeCookie, mixpanelCookie, postHogCookie } from './product-cookies.js'
export { type CreatingReader, segmentCookie } from './segment-cookie.js'
export { signedInUser } from './signed-in-user.js'
