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
import { base64, type Choices, type Format, granted, json, list, tcString } from './consent-format.js'

function members<T>(choices: Choices, member: (granted: boolean) => T): Record<string, T> {
  return Object.fromEntries([...choices].map(([name, is]) => [name, member(is)]))
}

const bit = (is: boolean) => (is ? 1 : 0)

/** How hosted services write a choice down. */
export const serviceFormats: readonly Format[] = [
  {
    name: 'hubSpot',
    reader: hubSpot,
    keys: { functional: ['3'], analytics: ['1'], marketing: ['2'] },
    write: (choices) => (choices ? `__hs_cookie_cat_pref=${list(choices, ':', 'true', 'false', ',')}` : ''),
  },
  {
    name: 'tealium',
    reader: tealium,
    keys: { analytics: ['c1'], marketing: ['c3'] },
    write: (choices) =>
      choices
        ? `CONSENTMGR=consent:true%7Cts:1753876354280%7C${list(choices, ':', '1', '0', '%7C')}`
        : 'CONSENTMGR=ts:1753876354280',
  },
  {
    name: 'googleFundingChoices',
    reader: googleFundingChoices,
    keys: { analytics: ['1', '8', '9'], marketing: ['1', '3', '4'] },
    write: (choices) => {
      const told = choices && [tcString(granted(choices).map(Number)), '1~', 'A6C1-4B2D']
      return `FCCDCF=${json([null, null, null, told, null, null, [[32, '["df36341f",[1768980468,518000000]]']]])}`
    },
  },
  {
    name: 'cookieHub',
    reader: cookieHub,
    keys: { functional: ['necessary'], analytics: ['analytics'], marketing: ['marketing'] },
    write: (choices) =>
      `cookiehub=${base64({
        answered: choices !== null,
        revision: 1,
        dnt: false,
        allowSale: true,
        implict: choices === null,
        region: '',
        token: '',
        timestamp: '2025-10-10T06:56:29.808Z',
        allAllowed: choices === null,
        categories: [...(choices ?? [])].map(([id, value], at) => ({
          cid: at + 1,
          id,
          value,
          preconsent: false,
        })),
        vendors: [],
        services: [],
      })}`,
  },
  {
    name: 'fides',
    reader: fides,
    keys: { functional: ['essential'], analytics: ['analytics'], marketing: ['marketing'] },
    write: (choices) =>
      `fides_consent=${json({
        consent: choices ? Object.fromEntries(choices) : { analytics: true, marketing: true },
        identity: { fides_user_device_id: 'a' },
        fides_meta: { version: '0.9.0', consentMethod: choices ? 'save' : 'dismiss' },
      })}`,
  },
  {
    name: 'piwikPro',
    reader: piwikPro,
    keys: {
      analytics: ['analytics'],
      marketing: ['remarketing', 'conversion_tracking', 'marketing_automation'],
    },
    write: (choices) =>
      `ppms_privacy_283ac5bc-49a7-4696-ac18-648eb17a43f4=${json({
        visitorId: 'a',
        domain: { normalized: 'shop.example', isWildcard: true, pattern: '*.shop.example' },
        consents: choices ? members(choices, (is) => ({ status: bit(is) })) : { analytics: { status: -1 } },
      })}`,
  },
  {
    name: 'evidon',
    reader: evidon,
    keys: { functional: ['essential'], analytics: ['analytics'], marketing: ['advertising'] },
    write: (choices) =>
      choices
        ? `_evidon_consent_cookie=${JSON.stringify({ consent_date: '2023-10-06T01:45:02.780Z', categories: { 1: Object.fromEntries(choices) }, gpc: 0, consent_type: 1 })}`
        : `_evidon_consent_cookie=${JSON.stringify({ consent_date: '2023-10-06T01:45:02.780Z', categories: { 1: true }, gpc: 1, consent_type: 2 })}`,
  },
  {
    name: 'securiti',
    reader: (options) =>
      securiti({ categories: { 34: 'functional', 36: 'analytics', 37: 'marketing' }, ...options }),
    keys: { functional: ['34'], analytics: ['36'], marketing: ['37'] },
    write: (choices) =>
      `__privaci_cookie_consents=${JSON.stringify({
        consents: members(choices ?? new Map([['36', true]]), bit),
        location: 'NSW#AU',
        status: 'record-consent-success',
        implicit_consent: choices === null,
      })}`,
  },
  {
    name: 'adobe',
    reader: adobe,
    keys: { functional: ['general'], analytics: ['general'], marketing: ['general'] },
    write: (choices) =>
      choices
        ? `kndctr_F6171253512D2B8C0A490D45_AdobeOrg_consent=${encodeURIComponent(list(choices, '=', 'in', 'out', ';'))}`
        : 'kndctr_F6171253512D2B8C0A490D45_AdobeOrg_consent_check=1',
  },
  {
    name: 'wix',
    reader: wix,
    keys: { functional: ['ess'], analytics: ['anl'], marketing: ['adv', 'dt3'] },
    write: (choices) => (choices ? `consent-policy=${json({ ...members(choices, bit), ts: 29372852 })}` : ''),
  },
]
