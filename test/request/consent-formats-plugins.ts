import {
  cookieNotice,
  drupalEuCookieCompliance,
  mooveGdpr,
  realCookieBanner,
  wpConsentApi,
} from '../../src/request/consent/index.js'
import { type Format, granted, json } from './consent-format.js'

/** How plugins of WordPress and Drupal write a choice down. */
export const pluginFormats: readonly Format[] = [
  {
    name: 'mooveGdpr',
    reader: mooveGdpr,
    keys: { functional: ['strict'], analytics: ['thirdparty'], marketing: ['advanced'] },
    write: (choices) =>
      choices
        ? `moove_gdpr_popup=${json(Object.fromEntries([...choices].map(([name, is]) => [name, is ? '1' : '0'])))}`
        : '',
  },
  {
    name: 'cookieNotice',
    reader: cookieNotice,
    keys: { functional: ['necessary'], analytics: ['all'], marketing: ['all'] },
    write: (choices) => (choices ? `cookie_notice_accepted=${choices.get('all') === true}` : ''),
    necessaryIsImplied: true,
  },
  {
    name: 'wpConsentApi',
    reader: wpConsentApi,
    keys: { functional: ['functional'], analytics: ['statistics'], marketing: ['marketing'] },
    write: (choices) =>
      choices
        ? [...choices].map(([name, is]) => `wp_consent_${name}=${is ? 'allow' : 'deny'}`).join('; ')
        : 'wp_consent_functional=allow; wp_consent_statistics-anonymous=allow',
  },
  {
    name: 'realCookieBanner',
    reader: (options) =>
      realCookieBanner({
        categories: { 37544: 'functional', 37560: 'analytics', 37547: 'marketing' },
        ...options,
      }),
    keys: { functional: ['37544'], analytics: ['37560'], marketing: ['37547'] },
    write: (choices) =>
      choices
        ? `real_cookie_banner-v:3_blog:1_path:da22278=${encodeURIComponent(`1709039186:0f234017-e4d0:e977fbf8fbc8:${JSON.stringify({ 61: granted(choices) })}`)}`
        : '',
  },
  {
    name: 'drupalEuCookieCompliance',
    reader: drupalEuCookieCompliance,
    keys: { functional: ['necessary'], analytics: ['analytics'], marketing: ['marketing'] },
    write: (choices) =>
      choices
        ? `cookie-agreed-version=1.0.0; cookie-agreed-categories=${json(granted(choices))}; cookie-agreed=2`
        : '',
  },
]
