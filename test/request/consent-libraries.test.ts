import { describe } from 'vitest'
import {
  c15t,
  orejime,
  osanoCookieConsent,
  reactCookieConsent,
  segmentConsentManager,
} from '../../src/request/consent/index.js'
import { check, everything, onlyNecessary } from './consent-cases.js'

// States that the libraries themselves write, and captures.

const implied = { explicitOnly: false }

describe('segmentConsentManager', () => {
  const saved = (custom: string, version = 1) =>
    `tracking-preferences={%22version%22:${version}%2C%22destinations%22:{%22Amplitude%22:true%2C%22Google%20Analytics%22:false}%2C%22custom%22:${custom}}`
  const categories = (functional: boolean, analytics: boolean, advertising: boolean) =>
    `{%22functional%22:${functional}%2C%22marketingAndAnalytics%22:${analytics}%2C%22advertising%22:${advertising}}`
  const destinations = { Amplitude: 'analytics', 'Google Analytics': 'marketing' }
  check([
    [
      'saved without advertising',
      segmentConsentManager(),
      saved(categories(true, true, false)),
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'advertising without marketing and analytics',
      segmentConsentManager(),
      saved(categories(false, false, true)),
      { functional: false, analytics: false, marketing: false },
    ],
    ['accepted', segmentConsentManager(), saved(categories(true, true, true)), everything],
    ['no categories', segmentConsentManager(), saved('null'), undefined],
    [
      'destinations, mapped',
      segmentConsentManager({ categories: destinations }),
      saved('null'),
      { analytics: true, marketing: false },
    ],
    ['another version', segmentConsentManager(), saved(categories(true, true, true), 2), undefined],
    [
      'another name',
      segmentConsentManager({ cookieName: 'prefs' }),
      saved(categories(true, true, true)).replace('tracking-preferences', 'prefs'),
      everything,
    ],
  ])
})

describe('reactCookieConsent', () => {
  const categories = { accepted: ['analytics', 'marketing'] }
  const accepted = { analytics: true, marketing: true }
  const declined = { analytics: false, marketing: false }
  check([
    ['accepted', reactCookieConsent({ categories }), 'CookieConsent=true', accepted],
    ['declined', reactCookieConsent({ categories }), 'CookieConsent=false', declined],
    ['accepted without SameSite', reactCookieConsent({ categories }), 'CookieConsent-legacy=true', accepted],
    [
      'declined where the other one is stale',
      reactCookieConsent({ categories }),
      'CookieConsent=false; CookieConsent-legacy=true',
      declined,
    ],
    [
      'values of the site',
      reactCookieConsent({ categories, cookieName: 'ok', cookieValue: 'yes', declineCookieValue: 'no' }),
      'ok=no',
      declined,
    ],
    [
      'a value that is neither',
      reactCookieConsent({ categories }),
      'CookieConsent={stamp:%27x%27%2Cstatistics:true%2Cmethod:%27explicit%27}',
      undefined,
    ],
  ])
})

describe('osanoCookieConsent', () => {
  const name = 'cookieconsent_status'
  check([
    ['allowed', osanoCookieConsent(), `${name}=allow`, everything],
    ['denied', osanoCookieConsent(), `${name}=deny`, onlyNecessary],
    ['dismissed', osanoCookieConsent(), `${name}=dismiss`, undefined],
    ['dismissed, under an opt-out law', osanoCookieConsent(implied), `${name}=dismiss`, everything],
    ['a status that is none', osanoCookieConsent(), `${name}=ALLOW`, undefined],
    [
      'for other keys',
      osanoCookieConsent({ categories: { all: ['analytics', 'ads'] } }),
      `${name}=allow`,
      { analytics: true, ads: true },
    ],
  ])
})

describe('c15t', () => {
  const info = 'i.t:1795679280854,i.sid:sub_111D9DszHWYMc9RuYvmoEadVzd,i.mpf:530a2fff503ff19aa2e968a39e567ff6'
  check([
    [
      'all',
      c15t(),
      `c15t=c.necessary:1,c.functionality:1,c.measurement:1,c.experience:1,c.marketing:1,${info}`,
      everything,
    ],
    ['only what is necessary', c15t(), `c15t=c.necessary:1,${info}`, onlyNecessary],
    [
      'an older record, which lists refusals',
      c15t(),
      `c15t=c.necessary:1,c.measurement:0,c.marketing:1,${info}`,
      { functional: true, analytics: false, marketing: true },
    ],
    ['identified without a choice', c15t(), `c15t=${info}`, undefined],
    ['no time', c15t(), 'c15t=c.necessary:1,c.measurement:1,i.sid:sub_1', undefined],
    ['encoded', c15t(), `c15t=${encodeURIComponent(`c.necessary:1,${info}`)}`, onlyNecessary],
  ])
})

describe('orejime', () => {
  const categories = { matomo: 'analytics', ads: 'marketing' }
  const all = { analytics: true, marketing: true }
  const version3 = (ads: boolean) => `eu-consent={%22req%22:true%2C%22matomo%22:true%2C%22ads%22:${ads}}`
  const version2 = 'orejime={"matomo":true,"ads":true,"req":true}'
  check([
    ['version 3', orejime({ categories }), version3(true), all],
    ['version 2', orejime({ categories }), version2, all],
    [
      'both, of which one is stale',
      orejime({ categories }),
      `${version2}; ${version3(false)}`,
      { analytics: true, marketing: false },
    ],
    ['another name', orejime({ categories, cookieName: 'orejime' }), version3(true), undefined],
  ])
})
