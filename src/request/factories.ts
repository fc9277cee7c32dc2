import {
  axeptio,
  borlabs,
  civic,
  complianz,
  consentCookie,
  consentHeader,
  cookiebot,
  cookieFirst,
  cookieInformation,
  cookieLawInfo,
  cookieScript,
  cookieYes,
  didomi,
  globalPrivacyControl,
  gpp,
  iubenda,
  ketch,
  klaro,
  oneTrust,
  strictest,
  tarteaucitron,
  tcf,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
} from './consent/index.js'
import {
  amplitudeCookie,
  cookie,
  googleAnalyticsCookie,
  googleTagServerCookie,
  header,
  matomoCookie,
  postHogCookie,
  rudderStackCookie,
  segmentCookie,
  sessionValue,
  signedInUser,
  snowplowCookie,
  walkerOSCookies,
} from './identity/index.js'
import { markFactory } from './reader-factory.js'
import { bots, prefetches } from './skip.js'

export { problemOfReader } from './reader-factory.js'

/** The functions that make readers, by name: a bundler that shortens names leaves those of members as they are. */
const factories = {
  amplitudeCookie,
  borlabs,
  bots,
  civic,
  complianz,
  cookieFirst,
  cookieInformation,
  cookieLawInfo,
  cookieScript,
  cookieYes,
  cookiebot,
  didomi,
  globalPrivacyControl,
  googleAnalyticsCookie,
  googleTagServerCookie,
  gpp,
  iubenda,
  ketch,
  matomoCookie,
  oneTrust,
  postHogCookie,
  prefetches,
  rudderStackCookie,
  segmentCookie,
  signedInUser,
  snowplowCookie,
  tcf,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
  walkerOSCookies,
}

/** Those that do not work without being told something. */
const withArguments = [
  [axeptio, "axeptio({ categories: { google_analytics: 'analytics' } })"],
  [consentCookie, "consentCookie('consent')"],
  [consentHeader, "consentHeader('x-consent')"],
  [cookie, "cookie('visitor_id')"],
  [header, "header('x-user-id')"],
  [klaro, "klaro({ categories: { matomo: 'analytics' } })"],
  [sessionValue, "sessionValue('userId')"],
  [strictest, 'strictest(oneTrust(), cookiebot())'],
  [tarteaucitron, "tarteaucitron({ categories: { gtag: 'analytics' } })"],
] as const

for (const [name, factory] of Object.entries(factories)) markFactory(factory, `${name}()`)
for (const [factory, call] of withArguments) markFactory(factory, call)
