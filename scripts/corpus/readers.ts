import {
  adobe,
  amplitudeCookie,
  axeptio,
  borlabs,
  type CategoryMap,
  type ConsentOptions,
  c15t,
  civic,
  complianz,
  cookiebot,
  cookieFirst,
  cookieHub,
  cookieInformation,
  cookieLawInfo,
  cookieNotice,
  cookieScript,
  cookieYes,
  didomi,
  drupalEuCookieCompliance,
  evidon,
  fides,
  globalPrivacyControl,
  googleAnalyticsCookie,
  googleFundingChoices,
  googleTagServerCookie,
  gpp,
  hubSpot,
  iubenda,
  ketch,
  klaro,
  matomoCookie,
  mooveGdpr,
  oneTrust,
  orejime,
  osanoCookieConsent,
  piwikPro,
  postHogCookie,
  type Reader,
  realCookieBanner,
  rudderStackCookie,
  securiti,
  segmentConsentManager,
  segmentCookie,
  snowplowCookie,
  tarteaucitron,
  tcf,
  tealium,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
  walkerOSCookies,
  wix,
  wpConsentApi,
} from '../../src/index.js'
import type { ConsentReader } from '../../src/request/consent/index.js'

/** Makes the reader of a consent manager. */
export type Manager = (options: ConsentOptions) => ConsentReader

/** Of managers whose ids mean nothing without a map, an empty one: they then decide nothing. */
const NO_MAP: CategoryMap = {}

const managers: Readonly<Record<string, Manager>> = {
  oneTrust,
  cookiebot,
  cookieYes,
  cookieLawInfo,
  complianz,
  trustArc,
  iubenda,
  didomi,
  cookieFirst,
  cookieInformation,
  civic,
  borlabs,
  cookieScript,
  ketch,
  klaro: (options) => klaro({ categories: NO_MAP, ...options }),
  axeptio: (options) => axeptio({ categories: NO_MAP, ...options }),
  tarteaucitron: (options) => tarteaucitron({ categories: NO_MAP, ...options }),
  vanillaCookieConsent,
  tcf,
  adobe,
  c15t,
  cookieHub,
  cookieNotice,
  drupalEuCookieCompliance,
  evidon,
  fides,
  googleFundingChoices,
  hubSpot,
  mooveGdpr,
  orejime: (options) => orejime({ categories: NO_MAP, ...options }),
  osanoCookieConsent,
  piwikPro,
  realCookieBanner: (options) => realCookieBanner({ categories: NO_MAP, ...options }),
  securiti: (options) => securiti({ categories: NO_MAP, ...options }),
  segmentConsentManager,
  tealium,
  wix,
  wpConsentApi,
}

/** Other names of the same thing. */
const aliases: Readonly<Record<string, string>> = {
  cookiepro: 'onetrust',
  cookiecontrol: 'civic',
  civiccookiecontrol: 'civic',
  orestbida: 'vanillacookieconsent',
  iabtcf: 'tcf',
  consentmanager: 'tcf',
  cookieconsent: 'osanocookieconsent',
  ngxcookieconsent: 'osanocookieconsent',
  crownpeak: 'evidon',
  crownpeakevidon: 'evidon',
  ga: 'googleanalytics',
  gafpid: 'googletagserver',
  fpid: 'googletagserver',
  ajs: 'segment',
  rudder: 'rudderstack',
}

/**
 * Signals that refuse, managers that no server can read, and one whose answer only its site can explain: none of the
 * readers may answer for these.
 */
const withoutReader = [
  'gpc',
  'gpp',
  'usp',
  'usprivacy',
  'dnt',
  'osano',
  'shopify',
  'usercentrics',
  'termly',
  'commandersact',
  'trustcommander',
  'reactcookieconsent',
]

/** The opt-outs that apply after every manager. */
export const optOuts: readonly ConsentReader[] = [globalPrivacyControl(), gpp(), usPrivacy()]

/**
 * The readers that an item is read with: that of the manager which it names; all of them where it names none, or one
 * that cannot be read.
 *
 * @throws TypeError for a name that is not known.
 */
export function managersOf(name: unknown): readonly Manager[] {
  if (name === undefined || name === null) return Object.values(managers)
  const found = find(managers, name)
  if (found) return [found]
  if (typeof name === 'string' && withoutReader.includes(bare(name))) return Object.values(managers)
  throw new TypeError(`no reader for the consent manager ${JSON.stringify(name)}`)
}

/** Makes the reader of an anonymous id. */
type IdReader = (options: Readonly<Record<string, unknown>>) => Reader<string>

const anonymousIds: Readonly<Record<string, IdReader>> = {
  segment: segmentCookie,
  walkerOS: walkerOSCookies,
  rudderStack: rudderStackCookie,
  googleAnalytics: googleAnalyticsCookie,
  googleTagServer: googleTagServerCookie,
  postHog: postHogCookie,
  amplitude: amplitudeCookie,
  snowplow: snowplowCookie,
  matomo: matomoCookie,
}

/** What anonymous ids are read with where an item asks for nothing else. */
export const defaultAnonymousId: readonly Reader<string>[] = [segmentCookie(), walkerOSCookies()]

/**
 * The readers of an anonymous id that an item asks for.
 *
 * @throws TypeError for a name that is not known.
 */
export function anonymousIdReaders(
  from: unknown,
  options: Readonly<Record<string, unknown>> = {},
): readonly Reader<string>[] {
  if (from === undefined) return defaultAnonymousId
  return (Array.isArray(from) ? from : [from]).map((name) => {
    const reader = find(anonymousIds, name)
    if (!reader) throw new TypeError(`no reader for anonymousIdFrom ${JSON.stringify(name)}`)
    return reader(options)
  })
}

function find<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  if (typeof name !== 'string') return undefined
  const wanted = Object.hasOwn(aliases, bare(name)) ? aliases[bare(name)] : bare(name)
  return Object.entries(table).find(([known]) => bare(known) === wanted)?.[1]
}

/** A name as it is told apart: `vanilla-cookieconsent` is `vanillaCookieConsent`, `_ga` is `ga`. */
function bare(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/cookies?$/, '')
}
