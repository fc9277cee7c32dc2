import {
  axeptio,
  borlabs,
  civic,
  complianz,
  consentCookie,
  cookiebot,
  cookieFirst,
  cookieInformation,
  cookieLawInfo,
  cookieScript,
  cookieYes,
  didomi,
  iubenda,
  ketch,
  klaro,
  oneTrust,
  tarteaucitron,
  tcf,
  trustArc,
  vanillaCookieConsent,
} from '../../src/request/consent/index.js'
import { base64, type Format, granted, json, list, refused, tcString } from './consent-format.js'
import { libraryFormats } from './consent-formats-libraries.js'
import { pluginFormats } from './consent-formats-plugins.js'
import { serviceFormats } from './consent-formats-services.js'

export { base64, bitString, type Choices, type Format, json, tcString } from './consent-format.js'

export const formats: readonly Format[] = [
  {
    name: 'oneTrust',
    reader: oneTrust,
    keys: { functional: ['C0001', 'C0003'], analytics: ['C0002'], marketing: ['C0004', 'C0005'] },
    write: (choices) => {
      const groups = encodeURIComponent(
        choices ? list(choices, ':', '1', '0', ',') : 'C0001:1,C0002:1,C0004:1',
      )
      const consent = `isGpcEnabled=0&datestamp=Tue+Mar+04+2025+10%3A11%3A12+GMT%2B0100+(CET)&version=202501.1.0&hosts=&interactionCount=0&landingPath=${choices ? 'NotLandingPage' : encodeURIComponent('https://shop.example/?a=1')}&groups=${groups}&AwaitingReconsent=false`
      return `OptanonConsent=${consent}${choices ? '; OptanonAlertBoxClosed=2025-03-04T09:11:12.345Z' : ''}`
    },
  },
  {
    name: 'cookiebot',
    reader: cookiebot,
    keys: { functional: ['necessary'], analytics: ['statistics'], marketing: ['marketing'] },
    write: (choices) => {
      const all = new Map([
        ['necessary', true],
        ['statistics', true],
        ['marketing', true],
      ])
      const categories = list(choices ?? all, ':', 'true', 'false', '%2C')
      return `CookieConsent={stamp:%27c3RhbXA=%27%2C${categories}%2Cmethod:%27${choices ? 'explicit' : 'implied'}%27%2Cver:1%2Cutc:1741083072000%2Cregion:%27at%27}`
    },
  },
  {
    name: 'cookieYes',
    reader: cookieYes,
    keys: { functional: ['necessary'], analytics: ['analytics'], marketing: ['advertisement'] },
    write: (choices) =>
      choices
        ? `cookieyes-consent=consentid:Y29uc2VudA,consent:yes,action:yes,${list(choices, ':', 'yes', 'no', ',')}`
        : 'cookieyes-consent=consentid:Y29uc2VudA,consent:,action:,necessary:,analytics:,advertisement:',
  },
  {
    name: 'cookieLawInfo',
    reader: cookieLawInfo,
    keys: { functional: ['necessary'], analytics: ['analytics'], marketing: ['advertisement'] },
    write: (choices) =>
      choices
        ? `CookieLawInfoConsent=${base64({ ver: '1', ...Object.fromEntries(choices) })}; viewed_cookie_policy=yes`
        : 'cookielawinfo-checkbox-necessary=yes; cookielawinfo-checkbox-analytics=yes',
  },
  {
    name: 'complianz',
    reader: complianz,
    keys: { functional: ['functional'], analytics: ['statistics'], marketing: ['marketing'] },
    write: (choices) =>
      choices
        ? `cmplz_policy_id=3; ${[...choices].map(([name, is]) => `cmplz_${name}=${is ? 'allow' : 'deny'}`).join('; ')}; cmplz_banner-status=dismissed`
        : 'cmplz_policy_id=3; cmplz_functional=allow; cmplz_statistics=allow; cmplz_marketing=allow',
  },
  {
    name: 'trustArc',
    reader: trustArc,
    keys: { functional: ['1'], analytics: ['2'], marketing: ['3'] },
    write: (choices) =>
      choices
        ? `notice_behavior=expressed,eu; notice_preferences=2:; cmapi_cookie_privacy=permit 1${granted(
            choices,
          )
            .filter((bucket) => /^[2-9]$/.test(bucket))
            .map((bucket) => `,${bucket}`)
            .join('')}`
        : 'notice_behavior=implied,us; cmapi_cookie_privacy=permit 1,2,3',
    necessaryIsImplied: true,
  },
  {
    name: 'iubenda',
    reader: iubenda,
    keys: { functional: ['1'], analytics: ['4'], marketing: ['5'] },
    write: (choices) =>
      choices
        ? `_iub_cs-12345678=${json({ timestamp: '2025-03-04T09:11:12.345Z', version: '1.70.0', purposes: Object.fromEntries(choices), id: 12345678 })}`
        : `_iub_cs-12345678=${json({ id: 12345678 })}`,
  },
  {
    name: 'didomi',
    reader: didomi,
    keys: {
      analytics: ['cookies', 'measure_content_performance', 'market_research'],
      marketing: ['cookies', 'create_ads_profile', 'select_personalized_ads'],
    },
    write: (choices) => {
      const head = { user_id: 'u', created: '2025-03-04T09:11:12.345Z', updated: '2025-03-04T09:11:12.345Z' }
      if (!choices) return `didomi_token=${base64({ ...head, version: null })}`
      const purposes = { enabled: granted(choices), disabled: refused(choices) }
      return `didomi_token=${base64({ ...head, vendors: { enabled: ['google'] }, purposes, version: 2 })}`
    },
  },
  {
    name: 'cookieFirst',
    reader: cookieFirst,
    keys: { functional: ['necessary'], analytics: ['performance'], marketing: ['advertising'] },
    write: (choices) =>
      choices
        ? `cookiefirst-consent=${json({ ...Object.fromEntries(choices), timestamp: 1741083072, type: 'category' })}`
        : '',
  },
  {
    name: 'cookieInformation',
    reader: cookieInformation,
    keys: {
      functional: ['cookie_cat_necessary'],
      analytics: ['cookie_cat_statistic'],
      marketing: ['cookie_cat_marketing'],
    },
    write: (choices) =>
      choices
        ? `CookieInformationConsent=${json({ website_uuid: 'w', consents_approved: granted(choices), consents_denied: refused(choices) })}`
        : '',
  },
  {
    name: 'civic',
    reader: civic,
    keys: { analytics: ['analytics', 'statistics'], marketing: ['marketing', 'advertising'] },
    write: (choices) => {
      const categories = [...(choices ?? new Map([['analytics', true]]))]
      return `CookieControl=${JSON.stringify({
        necessaryCookies: ['SESSION'],
        optionalCookies: Object.fromEntries(
          categories.map(([name, is]) => [name, is ? 'accepted' : 'revoked']),
        ),
        consentDate: 1741083072000,
        interactedWith: choices !== null,
      })}`
    },
  },
  {
    name: 'borlabs',
    reader: borlabs,
    keys: { functional: ['essential'], analytics: ['statistics'], marketing: ['marketing'] },
    write: (choices) =>
      choices
        ? `borlabs-cookie=${json({ consents: Object.fromEntries(granted(choices).map((group) => [group, [`${group}-service`]])), domainPath: 'shop.example/', v3: true, version: 1 })}`
        : '',
  },
  {
    name: 'cookieScript',
    reader: cookieScript,
    keys: { functional: ['strict'], analytics: ['performance'], marketing: ['targeting'] },
    write: (choices) =>
      choices
        ? `CookieScriptConsent=${JSON.stringify({ action: granted(choices).length > 0 ? 'accept' : 'reject', categories: JSON.stringify(granted(choices)), key: 'k' })}`
        : `CookieScriptConsent=${json({ googleconsentmap: { analytics_storage: 'performance' }, bannershown: 1 })}`,
    necessaryIsImplied: true,
  },
  {
    name: 'ketch',
    reader: ketch,
    keys: {
      functional: ['essential_services'],
      analytics: ['analytics'],
      marketing: ['behavioral_advertising'],
    },
    write: (choices) => {
      const states = [...(choices ?? new Map([['analytics', true]]))]
      const purposes = states.map(([code, is]) => [
        code,
        { status: is ? 'granted' : 'denied', canonicalPurposes: [code] },
      ])
      const source = choices ? 'banner.saveCurrentState' : 'legalBasisDefault'
      return `_ketch_consent_v1_=${encodeURIComponent(base64(Object.fromEntries(purposes)))}; _swb_consent_=${encodeURIComponent(base64({ context: { source }, purposes: {} }))}`
    },
  },
  {
    name: 'klaro',
    reader: (options) =>
      klaro({ categories: { matomo: 'analytics', ads: 'marketing', login: 'functional' }, ...options }),
    keys: { functional: ['login'], analytics: ['matomo'], marketing: ['ads'] },
    write: (choices) => (choices ? `klaro=${json(Object.fromEntries(choices))}` : ''),
  },
  {
    name: 'axeptio',
    reader: (options) =>
      axeptio({ categories: { google_analytics: 'analytics', pixel: 'marketing' }, ...options }),
    keys: { analytics: ['google_analytics'], marketing: ['pixel'] },
    write: (choices) =>
      // Axeptio leaves the signs that a cookie may hold as they are.
      `axeptio_cookies=${json({
        $$token: 't',
        $$cookiesVersion: {},
        ...(choices && Object.fromEntries(choices)),
        $$completed: choices !== null,
      })
        .replaceAll('%24', '$')
        .replaceAll('%7B', '{')
        .replaceAll('%7D', '}')
        .replaceAll('%3A', ':')}`,
  },
  {
    name: 'tarteaucitron',
    reader: (options) => tarteaucitron({ categories: { gtag: 'analytics', pixel: 'marketing' }, ...options }),
    keys: { analytics: ['gtag'], marketing: ['pixel'] },
    write: (choices) =>
      `tarteaucitron=${choices ? `!${list(choices, '=', 'true', 'false', '!')}` : '!gtag=wait!pixel=wait'}`,
  },
  {
    name: 'vanillaCookieConsent',
    reader: vanillaCookieConsent,
    keys: { functional: ['necessary'], analytics: ['analytics'], marketing: ['marketing'] },
    write: (choices) =>
      choices
        ? `cc_cookie=${json({ categories: granted(choices), revision: 0, services: Object.fromEntries([...choices.keys()].map((category) => [category, []])) })}`
        : '',
  },
  {
    name: 'tcf',
    reader: tcf,
    keys: { analytics: ['1', '8', '9'], marketing: ['1', '3', '4'] },
    write: (choices) => (choices ? `euconsent-v2=${tcString(granted(choices).map(Number))}` : ''),
  },
  {
    name: 'consentCookie',
    reader: () => consentCookie('mirror', { categories: { stats: 'analytics', ads: 'marketing' } }),
    keys: { analytics: ['stats'], marketing: ['ads'] },
    write: (choices) => (choices ? `mirror=${json(Object.fromEntries(choices))}` : ''),
  },
  ...libraryFormats,
  ...serviceFormats,
  ...pluginFormats,
]

/** The categories that a manager's default map knows. */
export function categoriesOf(format: Format): string[] {
  return [...new Set(Object.values(format.keys).flat())]
}
