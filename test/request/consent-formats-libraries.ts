import {
  c15t,
  orejime,
  osanoCookieConsent,
  reactCookieConsent,
  segmentConsentManager,
} from '../../src/request/consent/index.js'
import { type Format, granted, json } from './consent-format.js'

/** How libraries on npm write a choice down. */
export const libraryFormats: readonly Format[] = [
  {
    name: 'segmentConsentManager',
    reader: segmentConsentManager,
    keys: {
      functional: ['functional'],
      analytics: ['marketingAndAnalytics'],
      marketing: ['marketingAndAnalytics', 'advertising'],
    },
    write: (choices) =>
      choices
        ? `tracking-preferences=${json({ version: 1, destinations: { Amplitude: false }, custom: Object.fromEntries(choices) })}`
        : '',
  },
  {
    name: 'reactCookieConsent',
    reader: (options) => reactCookieConsent({ categories: { all: ['analytics', 'marketing'] }, ...options }),
    keys: { analytics: ['all'], marketing: ['all'] },
    write: (choices) => (choices ? `CookieConsent=${choices.get('all') === true}` : ''),
  },
  {
    name: 'osanoCookieConsent',
    reader: osanoCookieConsent,
    keys: { functional: ['necessary'], analytics: ['all'], marketing: ['all'] },
    write: (choices) =>
      `cookieconsent_status=${choices ? (choices.get('all') === true ? 'allow' : 'deny') : 'dismiss'}`,
    necessaryIsImplied: true,
  },
  {
    name: 'c15t',
    reader: c15t,
    keys: { functional: ['necessary'], analytics: ['measurement'], marketing: ['marketing'] },
    write: (choices) => {
      const categories = granted(choices ?? new Map()).map((category) => `c.${category}:1,`)
      return `c15t=${categories.join('')}i.t:1795679280854,i.sid:sub_111D9Dsz`
    },
  },
  {
    name: 'orejime',
    reader: (options) =>
      orejime({ categories: { matomo: 'analytics', ads: 'marketing', login: 'functional' }, ...options }),
    keys: { functional: ['login'], analytics: ['matomo'], marketing: ['ads'] },
    write: (choices) => (choices ? `eu-consent=${json(Object.fromEntries(choices))}` : ''),
  },
]
