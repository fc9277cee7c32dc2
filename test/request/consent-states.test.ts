import { describe, expect, test } from 'vitest'
import {
  borlabs,
  type ConsentReader,
  civic,
  complianz,
  cookieFirst,
  cookieInformation,
  cookieLawInfo,
  cookieScript,
  cookieYes,
  didomi,
  gpp,
  iubenda,
  ketch,
  klaro,
  oneTrust,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
} from '../../src/request/consent/index.js'
import { base64, json, tcString } from './consent-formats.js'
import { requestWith } from './consent-request.js'

/** Records that do not mean what they seem to, as the managers' own scripts write them. */
type State = readonly [what: string, reader: ConsentReader, cookie: string, consent: object | undefined]

const everything = { functional: true, analytics: true, marketing: true }
const onlyNecessary = { functional: true, analytics: false, marketing: false }
const refusesMarketing = { marketing: false }
const implied = { explicitOnly: false }

function check(states: readonly State[]): void {
  test.each(states)('%s', (_what, reader, cookie, consent) => {
    expect(reader(requestWith(cookie))).toEqual(consent)
  })
}

// Source: script.js of the WordPress plugin CookieYes 3.4.2 (_ckyActionClose, _ckyAcceptCookies, _ckyUnblock).
describe('cookieYes', () => {
  const cookie = (consent: string, action: string, categories: string) =>
    `cookieyes-consent=consentid:QUFB,consent:${consent},action:${action},${categories}`
  const all = 'necessary:yes,functional:yes,analytics:yes,performance:yes,advertisement:yes,other:yes'
  check([
    ['closed with the defaults on', cookieYes(), cookie('no', 'yes', all), undefined],
    ['closed before any consent was written', cookieYes(), cookie('', 'yes', all), undefined],
    [
      'no consent field at all',
      cookieYes(),
      'cookieyes-consent=action:yes,necessary:yes,analytics:yes,advertisement:yes',
      undefined,
    ],
    [
      'closed with some of the defaults on',
      cookieYes(),
      cookie(
        'no',
        'yes',
        'necessary:yes,functional:no,analytics:yes,performance:no,advertisement:no,other:no',
      ),
      { functional: true, marketing: false },
    ],
    [
      'rejected',
      cookieYes(),
      cookie('no', 'yes', 'necessary:yes,analytics:no,advertisement:no'),
      onlyNecessary,
    ],
    ['accepted', cookieYes(), cookie('yes', 'yes', all), everything],
    [
      'opted out under an opt-out law',
      cookieYes(),
      cookie(
        'yes',
        'yes',
        'necessary:yes,functional:no,analytics:no,performance:no,advertisement:no,other:no',
      ),
      onlyNecessary,
    ],
    ['consent named twice', cookieYes(), `${cookie('yes', 'yes', all)},consent:no`, undefined],
    [
      'closed under an opt-out law, implied allowed',
      cookieYes(implied),
      cookie('no', 'yes', all),
      everything,
    ],
  ])
})

// Sources: vanilla-cookieconsent 3.1.0 and 2.9.2 compare the record's revision with their own and ask again where they
// differ; Borlabs Cookie does so with its cookie version, CookieFirst with the version of its configuration, and
// complianz.js 7.2.0 with the policy's id (cmplz_check_cookie_policy_id).
describe('an older record', () => {
  const vanilla = (revision?: unknown) =>
    `cc_cookie=${json({ categories: ['necessary', 'analytics', 'marketing'], revision })}`
  const group = (version?: unknown) =>
    `borlabs-cookie=${json({ consents: { essential: ['a'], statistics: ['b'], marketing: ['c'] }, version })}`
  const first = (version?: unknown) =>
    `cookiefirst-consent=${json({ necessary: true, performance: true, advertising: true, version })}`
  const policy = (id: string) =>
    `cmplz_policy_id=${id}; cmplz_functional=allow; cmplz_preferences=allow; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_banner-status=dismissed`
  check([
    ['vanillaCookieConsent: the same', vanillaCookieConsent({ revision: 2 }), vanilla(2), everything],
    ['vanillaCookieConsent: older', vanillaCookieConsent({ revision: 2 }), vanilla(1), undefined],
    ['vanillaCookieConsent: none', vanillaCookieConsent({ revision: 2 }), vanilla(), undefined],
    ['vanillaCookieConsent: not asked for', vanillaCookieConsent(), vanilla(1), everything],
    [
      'vanillaCookieConsent: older, implied',
      vanillaCookieConsent({ revision: 2, ...implied }),
      vanilla(1),
      undefined,
    ],
    ['borlabs: the same', borlabs({ version: 2 }), group('2'), everything],
    ['borlabs: the same, as a number', borlabs({ version: '2' }), group(2), everything],
    ['borlabs: older', borlabs({ version: 2 }), group(1), undefined],
    ['borlabs: none', borlabs({ version: 2 }), group(), undefined],
    ['borlabs: not asked for', borlabs(), group(1), everything],
    ['cookieFirst: the same', cookieFirst({ version: 'bf2afc86' }), first('bf2afc86'), everything],
    ['cookieFirst: another', cookieFirst({ version: 'bf2afc86' }), first('7ff7db62'), undefined],
    ['cookieFirst: none', cookieFirst({ version: 'bf2afc86' }), first(), undefined],
    ['complianz: the same', complianz({ policyId: 14 }), policy('14'), everything],
    ['complianz: older', complianz({ policyId: 15 }), policy('14'), undefined],
    ['complianz: not asked for', complianz(), policy('14'), everything],
  ])
})

// Source: complianz.js of Complianz 7.2.0. A choice writes all categories; × sets the status only, forceEnableStats the
// statistics only, and a placeholder on an embed its one category. cmplz_has_consent('functional') is always true.
describe('complianz', () => {
  const head = 'cmplz_policy_id=14; cmplz_consented_services='
  const dismissed = 'cmplz_banner-status=dismissed'
  check([
    [
      'closed where statistics are on without consent',
      complianz(),
      `${head}; cmplz_statistics=allow; ${dismissed}`,
      undefined,
    ],
    [
      'one category accepted on an embed',
      complianz(),
      `${head}; cmplz_marketing=allow; ${dismissed}; cmplz_saved_categories=["marketing","functional"]`,
      { functional: true, marketing: true },
    ],
    [
      'one category accepted on an embed, nothing saved',
      complianz(),
      `cmplz_marketing=allow; ${dismissed}`,
      { functional: true, marketing: true },
    ],
    [
      'one category accepted on an embed where statistics are on without consent',
      complianz(),
      `${head}; cmplz_statistics=allow; cmplz_marketing=allow; ${dismissed}; cmplz_saved_categories=["marketing","statistics","functional"]`,
      { functional: true, marketing: true },
    ],
    [
      'the same with a map',
      complianz({
        categories: { statistics: 'analytics', marketing: 'marketing', preferences: 'personalization' },
      }),
      `${head}; cmplz_marketing=allow; ${dismissed}`,
      { marketing: true },
    ],
    [
      'all categories saved',
      complianz(),
      `${head}; cmplz_functional=allow; cmplz_preferences=deny; cmplz_statistics=allow; cmplz_marketing=deny; ${dismissed}`,
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'what an opt-out law assumes',
      complianz(implied),
      `${head}; cmplz_statistics=allow; ${dismissed}`,
      { functional: true, analytics: true },
    ],
  ])
})

// Source: complianz.js of Complianz 5 (cmplzSaveCategoriesSelection, cmplzGetHighestAcceptance, cmplzRevoke).
describe('complianz before version 6', () => {
  const head = 'complianz_policy_id=15; cmplz_event_0=deny'
  check([
    [
      'marketing accepted',
      complianz(),
      `${head}; complianz_consent_status=allow; cmplz_marketing=allow`,
      { functional: true, marketing: true },
    ],
    [
      'all accepted',
      complianz(),
      `${head}; complianz_consent_status=allow; cmplz_stats=allow; cmplz_prefs=allow; cmplz_marketing=allow`,
      everything,
    ],
    [
      'statistics only',
      complianz(),
      `${head}; complianz_consent_status=deny; cmplz_stats=allow; cmplz_marketing=deny`,
      { functional: true, analytics: true, marketing: false },
    ],
    ['denied', complianz(), `${head}; complianz_consent_status=deny`, onlyNecessary],
    [
      'denied beside an allowed category',
      complianz(),
      `${head}; complianz_consent_status=deny; cmplz_marketing=allow`,
      onlyNecessary,
    ],
    [
      'allowed as a whole, or dismissed under an opt-out law',
      complianz(),
      'complianz_consent_status=allow',
      undefined,
    ],
    ['dismissed', complianz(), `${head}; complianz_consent_status=dismiss`, undefined],
    [
      'taken back by a new policy',
      complianz(),
      `${head}; complianz_consent_status=; cmplz_marketing=allow`,
      undefined,
    ],
    [
      'an older policy',
      complianz({ policyId: 16 }),
      `${head}; complianz_consent_status=allow; cmplz_marketing=allow`,
      undefined,
    ],
  ])
})

describe('of a contradiction the stricter half counts', () => {
  const script = (record: object) => `CookieScriptConsent=${JSON.stringify(record)}`
  check([
    [
      'cookieScript: rejected, with accepted categories',
      cookieScript(),
      script({ action: 'reject', categories: '["performance","targeting"]' }),
      onlyNecessary,
    ],
    [
      'cookieScript: rejected, with a list of accepted categories',
      cookieScript(),
      script({ action: 'reject', categories: ['performance'] }),
      onlyNecessary,
    ],
    [
      'trustArc: required only, and permits for all',
      trustArc(),
      'notice_preferences=0:; notice_gdpr_prefs=0:; cmapi_cookie_privacy=permit 1,2,3',
      onlyNecessary,
    ],
    [
      'trustArc: the level below the permits',
      trustArc(),
      'notice_preferences=1:; cmapi_cookie_privacy=permit 1,2,3',
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'trustArc: preferences below the permits',
      trustArc(),
      'notice_preferences=2:; notice_gdpr_prefs=0,2:; cmapi_cookie_privacy=permit 1,2,3',
      { functional: true, analytics: false, marketing: true },
    ],
    [
      'trustArc: permits below the preferences',
      trustArc(),
      'notice_preferences=2:; notice_gdpr_prefs=0,1,2:; cmapi_cookie_privacy=permit 1 required',
      onlyNecessary,
    ],
    [
      'cookieLawInfo: checkboxes that refuse what the record accepts',
      cookieLawInfo(),
      `CookieLawInfoConsent=${base64({ necessary: true, analytics: true, advertisement: true })}; cookielawinfo-checkbox-analytics=no; viewed_cookie_policy=yes`,
      { functional: true, analytics: false, marketing: true },
    ],
    [
      'cookieLawInfo: rejected with names of the site only',
      cookieLawInfo(),
      `CookieLawInfoConsent=${base64({ statistik: true })}; viewed_cookie_policy=no`,
      onlyNecessary,
    ],
    [
      'iubenda: refused as a whole beside accepted purposes',
      iubenda(),
      `_iub_cs-7=${json({ consent: false, purposes: { 1: true, 4: true, 5: true } })}`,
      onlyNecessary,
    ],
    [
      'vanillaCookieConsent: two lists that differ',
      vanillaCookieConsent(),
      `cc_cookie=${json({ categories: ['necessary', 'analytics', 'marketing'], level: ['necessary', 'analytics'] })}`,
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'didomi: a purpose of the token that the consent string refuses',
      didomi(),
      `didomi_token=${base64({ purposes: { enabled: ['cookies', 'market_research'] } })}; euconsent-v2=${tcString([1, 8])}`,
      { analytics: false, marketing: false },
    ],
  ])
})

// Sources: IAB, the state specifications: sections 25, 26 and 27 have the subsections "core" and "sensitive data
// consents", section 24 has "core" and "GPC". Those four describe a header of their own (SectionID, Version, SubSections),
// which @iabgpp/cmpapi 3.2.0 does not write.
describe('gpp in Maryland, Indiana, Kentucky and Rhode Island', () => {
  check([
    ['Indiana: sensitive data refused', gpp(), 'gpp=DBABUYA~BgCg.aqo', undefined],
    ['Kentucky: sensitive data refused', gpp(), 'gpp=DBABCYA~BgCg.aqo', undefined],
    ['Rhode Island: sensitive data refused', gpp(), 'gpp=DBABSYA~BgCg.aqo', undefined],
    ['Indiana: sale refused', gpp(), 'gpp=DBABUYA~BgBA.AAA', refusesMarketing],
    ['Maryland: GPC', gpp(), 'gpp=DBABEYA~BgAA.YA', refusesMarketing],
    ['Maryland: targeted advertising', gpp(), 'gpp=DBABEYA~BgAQ.QA', refusesMarketing],
    ['Maryland: a header of its own', gpp(), 'gpp=DBABEYA~YBACgA.BgAQ.QA', refusesMarketing],
    ['Maryland: a header of its own, not opted out', gpp(), 'gpp=DBABEYA~YBACgA.BgCg.QA', undefined],
  ])
})

// Source: InMobi Choice, "Sharing consent between multiple sites".
describe('gpp and usPrivacy', () => {
  check([
    ['the cookie of InMobi Choice', gpp(), 'IABGPP_HDR_GppString=DBABLA~BVQVAAAAAAGA.YA', refusesMarketing],
    ['a quoted string', gpp(), 'gpp="DBABLA~BVQVAAAAAAGA.YA"', refusesMarketing],
    ['a quoted string, encoded', gpp(), 'gpp=%22DBABLA~BVQVAAAAAAGA.YA%22', refusesMarketing],
    ['a quoted US Privacy string', usPrivacy(), 'usprivacy="1YYN"', refusesMarketing],
    ['a quoted US Privacy string, encoded', usPrivacy(), 'usprivacy=%221YYN%22', refusesMarketing],
    ['a US Privacy string with spaces around it', usPrivacy(), 'usprivacy=%201YYN%20', refusesMarketing],
  ])
})

// Source: captures of sites with custom purposes: their TC string is empty by nature.
describe('didomi with custom purposes', () => {
  const token = (purposes: object) => `didomi_token=${base64({ user_id: 'u', purposes, version: 2 })}`
  const empty = `euconsent-v2=${tcString([])}`
  check([
    ['and an empty consent string', didomi(), `${token({ enabled: ['analytics-NG'] })}; ${empty}`, undefined],
    [
      'refused, and an empty consent string',
      didomi(),
      `${token({ disabled: ['ads-V8'] })}; ${empty}`,
      undefined,
    ],
    [
      'mapped, and an empty consent string',
      didomi({ categories: { 'analytics-NG': 'analytics', 'ads-V8': 'marketing' } }),
      `${token({ enabled: ['analytics-NG'], disabled: ['ads-V8'] })}; ${empty}`,
      { analytics: true, marketing: false },
    ],
    [
      'beside standard ones that were refused',
      didomi(),
      `${token({ enabled: ['analytics-NG'], disabled: ['cookies'] })}; ${empty}`,
      { analytics: false, marketing: false },
    ],
    [
      'and a consent string that speaks',
      didomi(),
      `${token({ enabled: ['x'] })}; euconsent-v2=${tcString([1, 8, 9])}`,
      { analytics: true, marketing: false },
    ],
  ])
})

describe('with a default map, a key none of whose ids is in a record beside ids of the site', () => {
  const closed = 'OptanonAlertBoxClosed=2026-01-01T00:00:00.000Z'
  const groups = (list: string) => `${closed}; OptanonConsent=groups=${encodeURIComponent(list)}`
  const optional = (cookies: object) =>
    `CookieControl=${json({ necessaryCookies: [], optionalCookies: cookies, interactedWith: true })}`
  const boxes = (record: object) => `CookieLawInfoConsent=${base64({ ver: '1', ...record })}`
  const level = (...names: string[]) => `cc_cookie=${json({ level: names, revision: 0 })}`
  check([
    ['oneTrust', oneTrust(), groups('C0001:1,C015:1,C0002:1'), { functional: true, analytics: true }],
    ['oneTrust, refused', oneTrust(), groups('C0001:1,C015:0'), { functional: true }],
    [
      'oneTrust without others is refused',
      oneTrust(),
      groups('C0001:1,C0002:1'),
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'oneTrust with a map is refused',
      oneTrust({ categories: { C0001: 'functional', C0002: 'analytics' } }),
      groups('C0001:1,C015:1'),
      { functional: true, analytics: false },
    ],
    ['civic', civic(), optional({ Google: 'accepted' }), { functional: true }],
    ['civic without others is refused', civic(), optional({}), onlyNecessary],
    [
      'cookieLawInfo',
      cookieLawInfo(),
      `${boxes({ necessary: true, 'non-necessary': true })}; viewed_cookie_policy=yes`,
      { functional: true },
    ],
    [
      'cookieLawInfo, rejected',
      cookieLawInfo(),
      `${boxes({ necessary: true, 'non-necessary': false })}; viewed_cookie_policy=no`,
      onlyNecessary,
    ],
    [
      'cookieYes without advertisement',
      cookieYes(),
      'cookieyes-consent=consent:yes,action:yes,necessary:yes,functional:yes,analytics:yes,performance:yes',
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'cookieYes with a category of the site',
      cookieYes(),
      'cookieyes-consent=consent:yes,action:yes,necessary:yes,analytics:yes,partners:yes',
      { functional: true, analytics: true },
    ],
    [
      'cookieInformation',
      cookieInformation(),
      `CookieInformationConsent=${json({ consents_approved: ['cookie_cat_necessary', 'cookie_cat_partners'], consents_denied: [] })}`,
      { functional: true },
    ],
    [
      'vanillaCookieConsent 3, which lists all categories',
      vanillaCookieConsent(),
      `cc_cookie=${json({ categories: ['necessary', 'partners'], services: { necessary: [], partners: [] } })}`,
      { functional: true },
    ],
    [
      'a list of what was accepted refuses the rest',
      vanillaCookieConsent(),
      level('necessary', 'recaptcha'),
      onlyNecessary,
    ],
    // Source: @lmc-eu/cookie-consent-manager 2.6.0, all accepted.
    [
      'unless a name in it may mean the key',
      vanillaCookieConsent(),
      level('necessary', 'analytics', 'functionality', 'ad', 'personalization'),
      { functional: true, analytics: true },
    ],
    [
      'borlabs: a list of what was accepted',
      borlabs(),
      `borlabs-cookie=${json({ consents: { essential: ['a'], 'external-media': ['b'] } })}`,
      onlyNecessary,
    ],
    [
      'ids with a map are not guessed',
      klaro({ categories: { a: 'analytics', b: 'marketing' } }),
      `klaro=${json({ a: true, c: true })}`,
      { analytics: true, marketing: false },
    ],
  ])
})

// Source: a capture with _swb but without _swb_consent_, of a visitor in the USA.
describe('ketch without its full record', () => {
  const record = (status: string) =>
    `_ketch_consent_v1_=${base64({ essential_services: { status: 'granted' }, analytics: { status: 'granted' }, behavioral_advertising: { status } })}`
  check([
    ['granting everything', ketch(), record('granted'), undefined],
    ['granting everything, implied allowed', ketch(implied), record('granted'), everything],
    [
      'refusing something',
      ketch(),
      record('denied'),
      { functional: true, analytics: true, marketing: false },
    ],
  ])
})

// Source: iubenda writes _iub_cs-s<site id> where the preference is kept per site.
describe('iubenda with an s before the id', () => {
  const purposes = json({ purposes: { 1: true, 3: true, 4: true, 5: false } })
  const read = { functional: true, analytics: true, marketing: false }
  check([
    ['any site', iubenda(), `_iub_cs-s4597678=${purposes}`, read],
    ['the given site', iubenda({ siteId: 4597678 }), `_iub_cs-s4597678=${purposes}`, read],
    ['the given site, as it is in the name', iubenda({ siteId: 's459' }), `_iub_cs-s459=${purposes}`, read],
    ['another site', iubenda({ siteId: 1 }), `_iub_cs-s459=${purposes}`, undefined],
    ['its other cookies', iubenda(), `_iub_cs-s459-granular=${purposes}; _iub_cs-ss4=${purposes}`, undefined],
    [
      'two sites on one domain: the stricter',
      iubenda(),
      `_iub_cs-11=${json({ purposes: { 1: true, 4: true, 5: true } })}; _iub_cs-22=${json({ purposes: { 1: true, 4: false, 5: true } })}`,
      { functional: true, analytics: false, marketing: true },
    ],
  ])
})
