import { describe } from 'vitest'
import {
  cookieNotice,
  drupalEuCookieCompliance,
  mooveGdpr,
  realCookieBanner,
  wpConsentApi,
} from '../../src/request/consent/index.js'
import { check, everything, onlyNecessary } from './consent-cases.js'
import { json } from './consent-format.js'

// What browsers sent to sites with these plugins, and what the plugins' own scripts write.

describe('plugins of WordPress', () => {
  const moove = (values: object) => `moove_gdpr_popup=${json(values)}`
  const banner = (services: string) =>
    `real_cookie_banner-v:3_blog:1_path:da22278=1709039186%3A00000000-0000-4000-8000-000000000000%3Ae977fbf8fbc81c28b11c7c9d9ae58d9e%3A${encodeURIComponent(services)}`
  const services = realCookieBanner({ categories: { 37560: 'analytics', 37547: 'marketing' } })
  check([
    [
      'Moove: only what is strict',
      mooveGdpr(),
      moove({ strict: '1', thirdparty: '0', advanced: '0' }),
      onlyNecessary,
    ],
    [
      'Moove: all, of a newer version',
      mooveGdpr(),
      moove({ strict: '1', thirdparty: '1', advanced: '1', performance: '1', preference: '1' }),
      everything,
    ],
    [
      'Moove: without what is strict',
      mooveGdpr(),
      moove({ strict: '0', thirdparty: '1', advanced: '1' }),
      { functional: false, analytics: false, marketing: false },
    ],
    ['Cookie Notice: accepted', cookieNotice(), 'cookie_notice_accepted=true', everything],
    ['Cookie Notice: refused', cookieNotice(), 'cookie_notice_accepted=false', onlyNecessary],
    ['Cookie Notice: seen', cookieNotice(), 'cookie_notice_accepted=TRUE', undefined],
    [
      'WP Consent API',
      wpConsentApi(),
      'wp_consent_functional=allow; wp_consent_statistics=allow; wp_consent_marketing=deny',
      { functional: true, analytics: true, marketing: false },
    ],
    [
      'WP Consent API: what needs no consent',
      wpConsentApi(),
      'wp_consent_functional=allow; wp_consent_statistics-anonymous=allow',
      undefined,
    ],
    ['WP Consent API: one category alone', wpConsentApi(), 'wp_consent_marketing=allow', { marketing: true }],
    [
      'WP Consent API: another prefix',
      wpConsentApi({ prefix: 'x_' }),
      'wp_consent_statistics=allow; x_statistics=deny',
      { analytics: false },
    ],
    [
      'Real Cookie Banner: some services',
      services,
      banner('{"60":[37544],"61":[37560,37545]}'),
      { analytics: true, marketing: false },
    ],
    [
      'Real Cookie Banner: in two languages',
      services,
      `${banner('{"61":[37560,37547]}')}; ${banner('{"60":[37544]}').replace('da22278', 'da22278-lang:de')}`,
      { analytics: false, marketing: false },
    ],
    ['Real Cookie Banner: cut off', services, banner('{"60":[37544],"61":[37560'), undefined],
    ['Real Cookie Banner: no list', services, banner('{"61":{"37560":true}}'), undefined],
  ])
})

describe('drupalEuCookieCompliance', () => {
  const list = 'cookie-agreed-categories=[%22necessary%22%2C%22analytics%22%2C%22marketing%22]'
  const version = 'cookie-agreed-version=1.0.0'
  const reader = drupalEuCookieCompliance()
  check([
    ['agreed', reader, `${version}; ${list}; cookie-agreed=2`, everything],
    ['agreed, and not yet closed', reader, `${list}; cookie-agreed=1`, everything],
    ['withdrawn', reader, `${list}; cookie-agreed=0`, onlyNecessary],
    ['a list without an answer', reader, list, undefined],
    ['an answer without a list', reader, 'cookie-agreed=2', undefined],
    ['one question', drupalEuCookieCompliance({ hasCategories: false }), 'cookie-agreed=2', everything],
    [
      'another version of the policy',
      drupalEuCookieCompliance({ version: '2.0.0' }),
      `${version}; ${list}; cookie-agreed=2`,
      undefined,
    ],
    [
      'another name',
      drupalEuCookieCompliance({ cookieName: 'x' }),
      'x=2; x-categories=["essential","statistics"]',
      { functional: true, analytics: true, marketing: false },
    ],
  ])
})
