import { describe } from 'vitest'
import {
  adobe,
  cookieHub,
  evidon,
  fides,
  googleFundingChoices,
  hubSpot,
  piwikPro,
  securiti,
  tealium,
  wix,
} from '../../src/request/consent/index.js'
import { check, everything, onlyNecessary } from './consent-cases.js'
import { base64, json, tcString } from './consent-format.js'

// What browsers sent to sites of these services, ids replaced.

const implied = { explicitOnly: false }

describe('hubSpot', () => {
  const name = '__hs_cookie_cat_pref'
  check([
    ['all, with commas', hubSpot(), `${name}=1:true,2:true,3:true`, everything],
    [
      'without advertisement, with underscores',
      hubSpot(),
      `${name}=1:true_2:false_3:true`,
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'declined',
      hubSpot(),
      `${name}=1:false_2:false_3:false`,
      { functional: false, analytics: false, marketing: false },
    ],
    ['a value that is neither', hubSpot(), `${name}=1:true,2:tru`, undefined],
  ])
})

describe('tealium', () => {
  const name = 'CONSENTMGR'
  const offered = 'c1:1%7Cc3:1%7Cc6:0%7Cc7:1%7Cc10:1'
  check([
    [
      'the categories that a site offers',
      tealium(),
      `${name}=consent:true%7Cts:1753876354280%7C${offered}`,
      { analytics: true, marketing: true },
    ],
    [
      'categories first',
      tealium(),
      `${name}=c1:1%7Cc2:1%7Cc3:0%7Cts:1629560172916%7Cconsent:true`,
      { analytics: true, marketing: false },
    ],
    [
      'declined',
      tealium(),
      `${name}=consent:false%7Cts:1654081831053`,
      { analytics: false, marketing: false },
    ],
    [
      'declined, with categories of before',
      tealium(),
      `${name}=${offered}%7Cconsent:false%7Cts:1654081831053`,
      { analytics: false, marketing: false },
    ],
    ['one question', tealium(), `${name}=ts:1552628190791%7Cconsent:true`, undefined],
    [
      'one question, of a site that says so',
      tealium({ hasCategories: false }),
      `${name}=ts:1552628190791%7Cconsent:true`,
      { analytics: true, marketing: true },
    ],
    [
      'an opt-out law',
      tealium({ hasCategories: false }),
      `${name}=dns:false%7Cconsent:true%7Cts:1628873490170`,
      undefined,
    ],
    [
      'an opt-out law and categories',
      tealium(),
      `${name}=dns:true%7Cconsent:true%7Cts:1628873490170%7Cc1:1%7Cc3:0`,
      { marketing: false },
    ],
    ['no answer', tealium(), `${name}=ts:1552628190791%7C${offered}`, undefined],
  ])
})

describe('googleFundingChoices', () => {
  const refused = 'CQb2ucAQb2ucAAKA6AELCHFgAAAAAEPgAAyIAAAXmgDAR6AuwBdqC7oLwAXkAvMAAAAA.YAAAAAAAAAAA'
  check([
    [
      'refused',
      googleFundingChoices(),
      `FCCDCF=%5Bnull%2Cnull%2Cnull%2C%5B%22${refused}%22%2C%221~%22%2C%2200000000%22%5D%2Cnull%2Cnull%2C%5B%5D%5D`,
      { analytics: false, marketing: false },
    ],
    [
      'its older list, consented',
      googleFundingChoices(),
      `FCCDCF=${json([['AKsRol_B'], null, ['[[],[],[],[],null,null,true]', 1620291054220], [tcString([1, 3, 4, 8, 9]), '1~1843', 'B6F8AF01'], null])}`,
      { analytics: true, marketing: true },
    ],
    [
      'no string',
      googleFundingChoices(),
      'FCCDCF=%5Bnull%2Cnull%2Cnull%2Cnull%2Cnull%2Cnull%2C%5B%5B32%2C%22%5B%5C%22df36341f%5C%22%5D%22%5D%5D%5D',
      undefined,
    ],
    ['no list', googleFundingChoices(), `FCCDCF=${json({ 3: [tcString([1, 8, 9])] })}`, undefined],
  ])
})

describe('cookieHub', () => {
  const record = (parts: object) =>
    `cookiehub=${base64({ answered: true, revision: 1, dnt: false, allowSale: true, implict: false, allAllowed: true, categories: [], ...parts })}`
  const list = (analytics: boolean) => [
    { cid: 1, id: 'necessary', value: true, preconsent: false, fired: true },
    { cid: 3, id: 'analytics', value: analytics, preconsent: false, fired: false },
    { cid: 4, id: 'marketing', value: true, preconsent: false, fired: false },
  ]
  check([
    ['all allowed', cookieHub(), record({}), everything],
    ['none allowed', cookieHub(), record({ allAllowed: false }), onlyNecessary],
    [
      'categories',
      cookieHub(),
      record({ allAllowed: false, categories: list(false) }),
      { functional: true, analytics: false, marketing: true },
    ],
    [
      'a record of 2021',
      cookieHub(),
      `cookiehub=${base64({ answered: true, preconsent: false, revision: 1, cookieLaws: true, categories: list(true) })}`,
      everything,
    ],
    ['assumed', cookieHub(), record({ answered: false, implict: true }), undefined],
    ['assumed and answered', cookieHub(), record({ implict: true }), undefined],
    ['opted out of a sale', cookieHub(), record({ allowSale: false }), { ...everything, marketing: false }],
    ['another revision', cookieHub({ revision: 2 }), record({}), undefined],
    ['a category without a value', cookieHub(), record({ categories: [{ id: 'analytics' }] }), undefined],
  ])
})

describe('fides', () => {
  const record = (consent: object, consentMethod?: string) => ({
    consent,
    identity: { fides_user_device_id: '00000000-0000-4000-8000-000000000000' },
    fides_meta: { version: '0.9.0', updatedAt: '2025-09-12T19:54:45.683Z', consentMethod },
  })
  const chosen = { essential: true, analytics: true, marketing: false }
  const said = { functional: true, analytics: true, marketing: false }
  check([
    ['saved', fides(), `fides_consent=${json(record(chosen, 'save'))}`, said],
    ['in base64', fides(), `fides_consent=${base64(record(chosen, 'accept'))}`, said],
    ['dismissed', fides(), `fides_consent=${json(record(chosen, 'dismiss'))}`, undefined],
    ["the browser's signal", fides(), `fides_consent=${json(record(chosen, 'gpc'))}`, undefined],
    ['no method', fides(), `fides_consent=${json(record(chosen))}`, undefined],
    ['its first form', fides(), `fides_consent=${json(chosen)}`, undefined],
    [
      'notices of the site',
      fides(),
      `fides_consent=${json(record({ targeted_advertising_gpp_us_national: true }, 'save'))}`,
      undefined,
    ],
    [
      'notices of the site, mapped',
      fides({ categories: { data_sales_and_sharing: 'marketing' } }),
      `fides_consent=${json(record({ data_sales_and_sharing: false }, 'save'))}`,
      { marketing: false },
    ],
  ])
})

describe('piwikPro', () => {
  const site = '283ac5bc-49a7-4696-ac18-648eb17a43f4'
  const record = (consents: string, id = site) =>
    `ppms_privacy_${id}={%22visitorId%22:%220%22%2C%22domain%22:{%22normalized%22:%22shop.example%22}%2C%22consents%22:${consents}}`
  const undecided = record('{%22analytics%22:{%22status%22:-1}%2C%22remarketing%22:{%22status%22:-1}}')
  check([
    ['not decided', piwikPro(), undecided, undefined],
    ['not decided, under an opt-out law', piwikPro(implied), undecided, undefined],
    [
      'analytics alone',
      piwikPro(),
      record('{%22analytics%22:{%22status%22:1}%2C%22remarketing%22:{%22status%22:0}}'),
      { analytics: true, marketing: false },
    ],
    [
      'analytics, the rest not decided',
      piwikPro(),
      record('{%22analytics%22:{%22status%22:1}%2C%22remarketing%22:{%22status%22:-1}}'),
      { analytics: true },
    ],
    [
      'two sites',
      piwikPro(),
      `${record('{%22analytics%22:{%22status%22:1}}')}; ${record('{%22analytics%22:{%22status%22:0}}', 'b')}`,
      { analytics: false, marketing: false },
    ],
    [
      'the site of two',
      piwikPro({ siteId: site, categories: { analytics: 'analytics' } }),
      `${record('{%22analytics%22:{%22status%22:1}}')}; ${record('{%22analytics%22:{%22status%22:0}}', 'b')}`,
      { analytics: true },
    ],
  ])
})

describe('evidon', () => {
  const record = (parts: object) =>
    `_evidon_consent_cookie=${JSON.stringify({ consent_date: '2023-10-06T01:45:02.780Z', ...parts })}`
  const some = { essential: true, analytics: true, advertising: false, 'social media': false }
  check([
    [
      'some categories',
      evidon(),
      record({ categories: { 1: some } }),
      { functional: true, analytics: true, marketing: false },
    ],
    ['all of a country', evidon(), record({ categories: { 7: true }, consent_type: 1 }), everything],
    [
      'all of one country, some of another',
      evidon(),
      record({ categories: { 7: true, 1: some }, consent_type: 1 }),
      { functional: true, analytics: true, marketing: false },
    ],
    ['by a signal', evidon(), record({ categories: { 1: true }, gpc: 1, consent_type: 2 }), undefined],
    ['no categories', evidon(), record({ consent_type: 1 }), undefined],
  ])
})

describe('securiti', () => {
  const record = (rest: string, advertising = 1) =>
    `__privaci_cookie_consents={"consents":{"1":1,"2":1,"3":1,"4":${advertising}},"location":"NSW#AU","lang":"en"${rest}}`
  const reader = securiti({ categories: { 1: 'functional', 3: 'analytics', 4: 'marketing' } })
  const said = ',"status":"record-consent-success","implicit_consent":'
  check([
    ['all', reader, record(`${said}false`), everything],
    ['without advertising', reader, record(`${said}false`, 0), { ...everything, marketing: false }],
    ['implied', reader, record(`${said}true`), undefined],
    ['an older record', reader, record(''), undefined],
  ])
})

describe('adobe', () => {
  const name = 'kndctr_F6171253512D2B8C0A490D45_AdobeOrg_consent'
  const nothing = { functional: false, analytics: false, marketing: false }
  check([
    ['in', adobe(), `${name}=general%3Din`, everything],
    ['out, not encoded', adobe(), `${name}=general=out`, nothing],
    ['pending', adobe(), `${name}=general=pending`, undefined],
    ['another cookie of the SDK', adobe(), `${name}_check=1`, undefined],
    [
      'one organisation of two',
      adobe({ orgId: 'F6171253512D2B8C0A490D45@AdobeOrg' }),
      `kndctr_0000_AdobeOrg_consent=general=out; ${name}=general=in`,
      everything,
    ],
    ['two organisations', adobe(), `kndctr_0000_AdobeOrg_consent=general=out; ${name}=general=in`, nothing],
  ])
})

describe('wix', () => {
  const record = (anl: number, adv: number, dt3: number) =>
    `consent-policy=%7B%22ess%22%3A1%2C%22func%22%3A0%2C%22anl%22%3A${anl}%2C%22adv%22%3A${adv}%2C%22dt3%22%3A${dt3}%2C%22ts%22%3A28815767%7D`
  check([
    ['all', wix(), record(1, 1, 1), everything],
    ['declined', wix(), record(0, 0, 1), onlyNecessary],
    ['opted out of a sale', wix(), record(1, 1, 0), { ...everything, marketing: false }],
  ])
})
