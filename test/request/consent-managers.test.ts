import { describe, expect, test } from 'vitest'
import {
  axeptio,
  borlabs,
  type ConsentReader,
  civic,
  complianz,
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
  trustArc,
  vanillaCookieConsent,
} from '../../src/request/consent/index.js'
import { base64, json, tcString } from './consent-formats.js'
import { requestWith } from './consent-request.js'

type Case = readonly [what: string, reader: ConsentReader, cookie: string, consent: object | undefined]

const onlyNecessary = { functional: true, analytics: false, marketing: false }
const nothing = { functional: false, analytics: false, marketing: false }
const everything = { functional: true, analytics: true, marketing: true }
const implied = { explicitOnly: false }

const closed = 'OptanonAlertBoxClosed=2025-03-04T09:11:12.345Z'
const oneTrustCases: Case[] = [
  [
    'a site without all default groups',
    oneTrust(),
    `${closed}; OptanonConsent=groups=C0001%3A1%2CC0002%3A0%2CC0004%3A1`,
    { functional: true, analytics: false, marketing: true },
  ],
  [
    'one of two marketing groups refused',
    oneTrust(),
    `${closed}; OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1%2CC0005%3A0`,
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'groups that are not encoded',
    oneTrust(),
    `OptanonConsent=groups=C0001:1,C0002:1,C0004:1&x=1; ${closed}`,
    everything,
  ],
  [
    'groups of the site only',
    oneTrust(),
    `OptanonConsent=groups=1%3A1%2C2%3A1%2CSTACK42%3A1; ${closed}`,
    undefined,
  ],
  [
    'groups of the site, mapped',
    oneTrust({ categories: { 1: 'functional', 2: 'functional', 3: 'analytics' } }),
    `OptanonConsent=groups=1%3A1%2C2%3A0%2C3%3A1; ${closed}`,
    { functional: true, analytics: true },
  ],
  [
    'implied consent',
    oneTrust(implied),
    'OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A0',
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'a date that was not set by closing',
    oneTrust(),
    'OptanonConsent=groups=C0002%3A1; OptanonAlertBoxClosed=true',
    undefined,
  ],
  [
    'a choice that the site asks to renew',
    oneTrust(),
    `OptanonConsent=groups=C0002%3A1&AwaitingReconsent=true; ${closed}`,
    undefined,
  ],
  [
    'an address with groups in it',
    oneTrust(),
    `OptanonConsent=landingPath=${encodeURIComponent('https://shop.example/?a=1&groups=C0001:1,C0002:1,C0004:1')}&groups=C0001%3A1; ${closed}`,
    onlyNecessary,
  ],
  [
    'an address with groups encoded twice',
    oneTrust(),
    `OptanonConsent=landingPath=${encodeURIComponent(encodeURIComponent('&groups=C0004:1'))}&groups=C0001%3A1; ${closed}`,
    onlyNecessary,
  ],
  [
    'a second groups field',
    oneTrust(),
    `OptanonConsent=groups=C0001%3A1&groups=C0002%3A1; ${closed}`,
    onlyNecessary,
  ],
  [
    'a group named twice',
    oneTrust(),
    `OptanonConsent=groups=C0001%3A1%2CC0002%3A0%2CC0002%3A1; ${closed}`,
    onlyNecessary,
  ],
  [
    'a value that is neither',
    oneTrust(),
    `OptanonConsent=groups=C0001%3A1%2CC0002%3A2%2CC0004%3Atrue; ${closed}`,
    onlyNecessary,
  ],
  ['malformed encoding', oneTrust(), `OptanonConsent=groups=C0001%3A1%2; ${closed}`, undefined],
  [
    'a value that is neither, of two',
    oneTrust(),
    `OptanonConsent=groups=C0004%3A1%2CC0005%3A2; ${closed}`,
    { functional: false, analytics: false, marketing: false },
  ],
  [
    'names that every object has',
    oneTrust(),
    `OptanonConsent=groups=__proto__%3A1%2Cconstructor%3A1; ${closed}`,
    undefined,
  ],
  [
    'implied consent that leaves mapped groups out',
    oneTrust({
      ...implied,
      categories: { C0002: 'analytics', C0004: 'marketing', C0009: ['marketing', 'ads'] },
    }),
    'OptanonConsent=groups=C0002%3A1%2CC0004%3A1',
    { analytics: true },
  ],
  ['no groups', oneTrust(), `OptanonConsent=isIABGlobal=false&hosts=; ${closed}`, undefined],
  ['an empty list of groups', oneTrust(), `OptanonConsent=groups=&hosts=; ${closed}`, nothing],
]

const cookiebotCases: Case[] = [
  [
    'quotes and commas that are not encoded',
    cookiebot(),
    "CookieConsent={stamp:'c3RhbXA=',necessary:true,preferences:true,statistics:true,marketing:false,method:'explicit',ver:1}",
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'spaces written as plus',
    cookiebot(),
    'CookieConsent={stamp:%27x%27%2C+necessary:true%2C+statistics:true%2C+marketing:true%2C+method:%27explicit%27}',
    everything,
  ],
  [
    'no method',
    cookiebot(),
    'CookieConsent={stamp:%27x%27%2Cnecessary:true%2Cstatistics:true%2Cmarketing:true}',
    undefined,
  ],
  [
    'no method, implied allowed',
    cookiebot(implied),
    'CookieConsent={stamp:%27x%27%2Cnecessary:true%2Cstatistics:true%2Cmarketing:true}',
    everything,
  ],
  [
    'a region without requirement',
    cookiebot(),
    'CookieConsent={stamp:%27-1%27%2Cnecessary:true%2Cstatistics:true%2Cmarketing:true%2Cmethod:%27explicit%27}',
    undefined,
  ],
  ['the legacy refusal', cookiebot(), 'CookieConsent=0', onlyNecessary],
  ['the legacy region', cookiebot(), 'CookieConsent=-1', undefined],
  ['the legacy region, implied allowed', cookiebot(implied), 'CookieConsent=-1', everything],
  ['another library of the same cookie', cookiebot(implied), 'CookieConsent=true', undefined],
  [
    'a category left out',
    cookiebot(),
    'CookieConsent={necessary:true%2Cmethod:%27explicit%27}',
    onlyNecessary,
  ],
  ['no braces', cookiebot(), 'CookieConsent=necessary:true,statistics:true,method:%27explicit%27', undefined],
  [
    'a text in capitals',
    cookiebot(),
    'CookieConsent={necessary:true%2Cstatistics:TRUE%2Cmethod:%27explicit%27}',
    onlyNecessary,
  ],
]

const otherCases: Case[] = [
  [
    'cookieYes: implied by an opt-out region',
    cookieYes(),
    'cookieyes-consent=consentid:x,consent:yes,action:no,necessary:yes,analytics:yes,advertisement:yes',
    undefined,
  ],
  [
    'cookieYes: implied by an opt-out region, and allowed',
    cookieYes(implied),
    'cookieyes-consent=consentid:x,consent:yes,action:no,necessary:yes,analytics:yes,advertisement:yes',
    everything,
  ],
  [
    'cookieYes: encoded',
    cookieYes(),
    `cookieyes-consent=${encodeURIComponent('consentid:x,consent:no,action:yes,necessary:yes,analytics:no,advertisement:no,other:no')}`,
    onlyNecessary,
  ],

  [
    'cookieLawInfo: words for booleans',
    cookieLawInfo(),
    `CookieLawInfoConsent=${encodeURIComponent(base64({ ver: 4, necessary: 'true', analytics: 'yes', advertisement: 'false' }))}; viewed_cookie_policy=yes`,
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'cookieLawInfo: checkboxes only',
    cookieLawInfo(),
    'cookielawinfo-checkbox-necessary=yes; cookielawinfo-checkbox-analytics=no; cookielawinfo-checkbox-advertisement=yes; viewed_cookie_policy=yes',
    { functional: true, analytics: false, marketing: true },
  ],
  [
    'cookieLawInfo: rejected with the boxes still ticked',
    cookieLawInfo(),
    `CookieLawInfoConsent=${base64({ necessary: true, analytics: true, advertisement: true })}; viewed_cookie_policy=no`,
    onlyNecessary,
  ],
  [
    'cookieLawInfo: opted out in its CCPA mode',
    cookieLawInfo(),
    `CookieLawInfoConsent=${base64({ necessary: true, analytics: true, advertisement: true, ccpaOptout: true })}`,
    onlyNecessary,
  ],
  [
    'cookieLawInfo: one category for all the rest',
    cookieLawInfo({ categories: { 'non-necessary': ['analytics', 'marketing'] } }),
    `CookieLawInfoConsent=${base64({ necessary: true, 'non-necessary': true })}; viewed_cookie_policy=yes`,
    { analytics: true, marketing: true },
  ],
  [
    'cookieLawInfo: no base64',
    cookieLawInfo(),
    'CookieLawInfoConsent=true%; viewed_cookie_policy=yes',
    undefined,
  ],

  [
    'complianz: a prefix of its own',
    complianz({ prefix: 'shop_' }),
    'shop_functional=allow; shop_statistics=deny; shop_marketing=allow; shop_banner-status=dismissed; cmplz_statistics=allow',
    { functional: true, analytics: false, marketing: true },
  ],
  [
    'complianz: banner still shown',
    complianz(),
    'cmplz_functional=allow; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_banner-status=show',
    undefined,
  ],
  [
    'complianz: only the banner status',
    complianz(),
    'cmplz_banner-status=dismissed; cmplz_policy_id=3',
    undefined,
  ],

  [
    'trustArc: required only',
    trustArc(),
    'notice_preferences=0:; cmapi_cookie_privacy=permit 1 required',
    onlyNecessary,
  ],
  [
    'trustArc: required only, underscores',
    trustArc(),
    'notice_preferences=0:; cmapi_cookie_privacy=permit_1_required',
    onlyNecessary,
  ],
  ['trustArc: bars', trustArc(), 'notice_preferences=2:; cmapi_cookie_privacy=permit_1|2|3', everything],
  [
    'trustArc: encoded',
    trustArc(),
    'notice_preferences=1:; cmapi_cookie_privacy=permit%201%2C2',
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'trustArc: buckets counted from zero',
    trustArc(),
    'notice_preferences=2:; notice_gdpr_prefs=0,2:f00',
    { functional: true, analytics: false, marketing: true },
  ],
  [
    'trustArc: empty middle field',
    trustArc(),
    'notice_preferences=0:; notice_gdpr_prefs=0::implied,eu',
    onlyNecessary,
  ],
  ['trustArc: the level alone', trustArc(), 'notice_preferences=2:', undefined],
  [
    'trustArc: implied by the region',
    trustArc(implied),
    'notice_behavior=implied,us; cmapi_cookie_privacy=permit 1,2,3',
    everything,
  ],
  ['trustArc: no permit', trustArc(), 'notice_preferences=2:; cmapi_cookie_privacy=deny 1,2,3', undefined],

  [
    'iubenda: all at once',
    iubenda(),
    `_iub_cs-7=${json({ consent: true, timestamp: 't', id: 7 })}`,
    everything,
  ],
  ['iubenda: none at once', iubenda(), `_iub_cs-7=${json({ consent: false, id: 7 })}`, onlyNecessary],
  [
    'iubenda: purposes that are not set up',
    iubenda(),
    `_iub_cs-7=${json({ purposes: { 1: true, 3: true, 4: true } })}`,
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'iubenda: its other cookies',
    iubenda(),
    `_iub_cs-7-granular=${json({ consent: true })}; _iub_cs-7-uspr=${json({ s: true, consent: true })}; _iub_cs-x=${json({ consent: true })}`,
    undefined,
  ],
  [
    'iubenda: the given site',
    iubenda({ siteId: 8 }),
    `_iub_cs-7=${json({ consent: true })}; _iub_cs-8=${json({ consent: false })}`,
    onlyNecessary,
  ],
  [
    'iubenda: words for booleans',
    iubenda(),
    `_iub_cs-7=${json({ purposes: { 1: true, 4: 'true', 5: 1 } })}`,
    onlyNecessary,
  ],

  [
    'didomi: standard purposes in the consent string',
    didomi(),
    `didomi_token=${base64({ user_id: 'u', purposes: { enabled: ['geolocation_data'] }, version: 2 })}; euconsent-v2=${tcString([1, 8, 9])}`,
    { analytics: true, marketing: false },
  ],
  [
    'didomi: a token without purposes of its own',
    didomi(),
    `didomi_token=${base64({ user_id: 'u', vendors: { enabled: ['google'] }, version: 2 })}; euconsent-v2=${tcString([1, 3, 4, 8, 9])}`,
    { analytics: true, marketing: true },
  ],
  [
    'didomi: a token that says that nothing was chosen',
    didomi(),
    `didomi_token=${base64({ user_id: 'u', version: null })}; euconsent-v2=${tcString([1, 3, 4, 8, 9])}`,
    undefined,
  ],
  [
    'didomi: its newer string',
    didomi(),
    `didomi_dcs=CDABAAAAAA; euconsent-v2=${tcString([])}`,
    { analytics: false, marketing: false },
  ],
  [
    'didomi: custom purposes',
    didomi({ categories: { 'audience-Xy12': 'analytics', 'ads-Zz34': 'marketing' } }),
    `didomi_token=${encodeURIComponent(base64({ purposes: { enabled: ['audience-Xy12'], disabled: ['ads-Zz34'] }, version: 2 }))}`,
    { analytics: true, marketing: false },
  ],
  [
    'didomi: custom purposes without a map',
    didomi(),
    `didomi_token=${base64({ purposes: { enabled: ['audience-Xy12'] } })}`,
    undefined,
  ],
  [
    'didomi: storage alone is no analytics',
    didomi(),
    `didomi_token=${base64({ purposes: { enabled: ['cookies'] } })}`,
    { analytics: false, marketing: false },
  ],

  [
    'cookieFirst: not encoded, and a percent sign in it',
    cookieFirst(),
    'cookiefirst-consent={"necessary":true,"performance":true,"note":"100%"}',
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'cookieFirst: not encoded',
    cookieFirst(),
    `cookiefirst-consent=${JSON.stringify({ necessary: true, performance: false, functional: true, advertising: false })}`,
    onlyNecessary,
  ],
  [
    'cookieInformation: in both lists',
    cookieInformation(),
    `CookieInformationConsent=${json({ consents_approved: ['cookie_cat_necessary', 'cookie_cat_statistic'], consents_denied: ['cookie_cat_statistic'] })}`,
    onlyNecessary,
  ],
  [
    'cookieInformation: no lists',
    cookieInformation(),
    `CookieInformationConsent=${json({ website_uuid: 'w', user_uid: 'u' })}`,
    undefined,
  ],
  [
    'cookieInformation: no names',
    cookieInformation(),
    `CookieInformationConsent=${json({ consents_approved: [['cookie_cat_statistic']] })}`,
    undefined,
  ],

  [
    'civic: names in capitals',
    civic({ categories: { Statistik: 'analytics', werbung: 'marketing' } }),
    `CookieControl=${JSON.stringify({ optionalCookies: { statistik: 'revoked', Werbung: 'accepted' }, interactedWith: true })}`,
    { analytics: false, marketing: true },
  ],
  [
    'civic: legitimate interest is not asked for',
    civic(),
    `CookieControl=${json({ optionalCookies: { analytics: 'legitimate interest', marketing: 'revoked' }, interactedWith: true })}`,
    { functional: true, marketing: false },
  ],
  [
    'civic: not interacted with',
    civic(),
    `CookieControl=${json({ optionalCookies: { analytics: 'accepted' }, interactedWith: false })}`,
    undefined,
  ],
  [
    'borlabs: an empty group',
    borlabs(),
    `borlabs-cookie=${json({ consents: { essential: ['borlabs-cookie'], statistics: [], marketing: ['pixel'] }, version: '2' })}`,
    { functional: true, analytics: false, marketing: true },
  ],
  ['borlabs: nothing accepted', borlabs(), `borlabs-cookie=${json({ consents: {} })}`, nothing],
  ['borlabs: not its JSON', borlabs(), 'borlabs-cookie=all', undefined],

  [
    'cookieScript: all at once',
    cookieScript(),
    `CookieScriptConsent=${json({ action: 'accept' })}`,
    everything,
  ],
  [
    'cookieScript: a list, not text',
    cookieScript(),
    `CookieScriptConsent=${json({ action: 'accept', categories: ['performance'] })}`,
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'cookieScript: accepted, and nothing listed',
    cookieScript(),
    `CookieScriptConsent=${json({ action: 'accept', categories: '[]' })}`,
    onlyNecessary,
  ],
  [
    'cookieScript: accepted, and a broken list',
    cookieScript(),
    `CookieScriptConsent=${json({ action: 'accept', categories: '["targeting"' })}`,
    onlyNecessary,
  ],
  ['cookieScript: garbled', cookieScript(), 'CookieScriptConsent=%7Bnot-json', undefined],

  [
    'ketch: canonical purposes',
    ketch(),
    `_ketch_consent_v1_=${base64({
      essential: { status: 'granted', canonicalPurposes: ['essential_services'] },
      stats: { status: 'granted', canonicalPurposes: ['analytics'] },
      ads: { status: 'denied', canonicalPurposes: ['personalization', 'behavioral_advertising'] },
    })}`,
    { functional: true, analytics: true, marketing: false },
  ],
  [
    'ketch: codes of the site only',
    ketch(),
    `_ketch_consent_v1_=${base64({ a: { status: 'granted' }, b: { status: 'denied' } })}`,
    undefined,
  ],
  [
    'ketch: words',
    ketch({ categories: { a: 'analytics', b: 'marketing' } }),
    `_ketch_consent_v1_=${base64({ a: 'granted', b: 'denied' })}`,
    { analytics: true, marketing: false },
  ],
  [
    'ketch: what an opt-out law assumes, by an older version',
    ketch(),
    `_ketch_consent_v1_=${base64({ analytics: { status: 'granted' } })}; _swb_consent_=${base64({ purposes: { analytics: { allowed: 'true', legalBasisCode: 'consent_optout' } } })}`,
    undefined,
  ],
  [
    'ketch: a refusal under an opt-out law, by an older version',
    ketch(),
    `_ketch_consent_v1_=${base64({ analytics: { status: 'denied' } })}; _swb_consent_=${base64({ purposes: { analytics: { allowed: 'false', legalBasisCode: 'consent_optout' } } })}`,
    { functional: false, analytics: false, marketing: false },
  ],

  [
    'klaro: a storage name',
    klaro({ cookieName: 'kl', categories: { a: 'analytics' } }),
    `kl=${json({ a: true })}`,
    { analytics: true },
  ],
  [
    'axeptio: encoded in whole',
    axeptio({ categories: { Google_Ads: 'marketing', 'Facebook Conversion': 'marketing' } }),
    `axeptio_cookies=${json({ $$completed: true, Google_Ads: true, 'Facebook Conversion': false })}`,
    { marketing: false },
  ],
  [
    'tarteaucitron: one service decided, one not',
    tarteaucitron({ categories: { gtag: 'analytics', pixel: 'marketing', ads: 'marketing' } }),
    'tarteaucitron=!gtag=true!pixel=true!ads=wait',
    { analytics: true },
  ],
  [
    'tarteaucitron: one refused behind one undecided',
    tarteaucitron({ cookieName: 'tac', categories: { pixel: 'marketing', ads: 'marketing' } }),
    'tac=!pixel=false!ads=wait',
    { marketing: false },
  ],
  [
    'vanillaCookieConsent: version 2',
    vanillaCookieConsent(),
    `cc_cookie=${json({ level: ['necessary', 'targeting'], revision: 0, rfc_cookie: true })}`,
    { functional: true, analytics: false, marketing: true },
  ],
  [
    'vanillaCookieConsent: two names for one key, one refused',
    vanillaCookieConsent(),
    `cc_cookie=${json({ categories: ['necessary', 'marketing'], services: { necessary: [], marketing: [], targeting: [] } })}`,
    onlyNecessary,
  ],
  [
    'vanillaCookieConsent: nothing accepted',
    vanillaCookieConsent(),
    `cc_cookie=${json({ categories: [], revision: 0 })}`,
    nothing,
  ],
  [
    'vanillaCookieConsent: names of the site only',
    vanillaCookieConsent(),
    `cc_cookie=${json({ categories: ['pflicht', 'statistik'], revision: 0 })}`,
    undefined,
  ],
  [
    'vanillaCookieConsent: nested lists',
    vanillaCookieConsent(),
    `cc_cookie=${json({ categories: [['analytics']] })}`,
    undefined,
  ],
]

describe.each([
  ['oneTrust', oneTrustCases],
  ['cookiebot', cookiebotCases],
  ['others', otherCases],
])('%s', (_, cases) => {
  test.each(cases)('%s', (_what, reader, cookie, consent) => {
    expect(reader(requestWith(cookie))).toEqual(consent)
  })
})

test('what every object inherits is no part of a record', () => {
  Object.defineProperty(Object.prototype, 'interactedWith', { value: true, configurable: true })
  try {
    const cookie = `CookieControl=${json({ optionalCookies: { analytics: 'accepted' } })}`
    expect(civic()(requestWith(cookie))).toBeUndefined()
  } finally {
    Reflect.deleteProperty(Object.prototype, 'interactedWith')
  }
})
