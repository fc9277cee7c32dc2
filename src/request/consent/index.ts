export { type AxeptioOptions, axeptio } from './axeptio.js'
export { type BorlabsOptions, borlabs } from './borlabs.js'
export { civic } from './civic.js'
export { type ComplianzOptions, complianz } from './complianz.js'
export { type CookieFirstOptions, cookieFirst } from './cookie-first.js'
export { cookieInformation } from './cookie-information.js'
export { cookieLawInfo } from './cookie-law-info.js'
export { cookieScript } from './cookie-script.js'
export { cookieYes } from './cookie-yes.js'
export { cookiebot } from './cookiebot.js'
export { didomi } from './didomi.js'
export { globalPrivacyControl } from './global-privacy-control.js'
export { type GppOptions, gpp } from './gpp.js'
export { type IubendaOptions, iubenda } from './iubenda.js'
export { ketch } from './ketch.js'
export { type KlaroOptions, klaro } from './klaro.js'
export { consentCookie, consentHeader, type MirrorOptions } from './mirror.js'
export { oneTrust } from './one-trust.js'
export {
  type ConsentOptions,
  type ConsentReader,
  isOptOut,
  type MappedConsentOptions,
  type OptOutOptions,
  optOut,
} from './reader.js'
export type { CategoryMap, WalkerKey } from './record.js'
export { optOutsIn, strictest } from './strictest.js'
export { type TarteaucitronOptions, tarteaucitron } from './tarteaucitron.js'
export { type TcfOptions, tcf } from './tcf.js'
export { trustArc } from './trust-arc.js'
export { type UsPrivacyOptions, usPrivacy } from './us-privacy.js'
export { type VanillaCookieConsentOptions, vanillaCookieConsent } from './vanilla-cookie-consent.js'
