import { describe, expect, test } from 'vitest'
import {
  amplitudeCookie,
  googleAnalyticsCookie,
  matomoCookie,
  mixpanelCookie,
  postHogCookie,
  type Reader,
  rudderStackCookie,
  snowplowCookie,
} from '../../src/index.js'
import { requestWith } from './consent-request.js'

/** What analytics libraries write, and must or must not be taken for an anonymous id. */
type State = readonly [what: string, reader: Reader<string>, cookie: string, id: string | undefined]

const json = (value: unknown) => encodeURIComponent(JSON.stringify(value))
const base64 = (text: string) => Buffer.from(text).toString('base64')
const uuid = '671866a0-204e-447d-8d8b-51bf2b884c25'

function check(states: readonly State[]): void {
  test.each(states)('%s', (_what, reader, cookie, id) => {
    expect(reader(requestWith(cookie))).toBe(id)
  })
}

// Source: posthog-js. Generated ids are UUIDs of version 7; before 1.96 five hexadecimal groups (_.UUID), the first and the
// last of which begin with the time. After identify() the cookie's distinct_id is the application's own id, and before
// 1.310 nothing else in the cookie says so.
describe('postHogCookie', () => {
  const state = (value: object, project = 'phc_abc') => `ph_${project}_posthog=${json(value)}`
  const generated = '019425f3-0000-7000-8000-000000000000'
  const older = '1a216cd4af228d-05143d9df750fd-11543b4c-e1000-1a216cd4af3838'
  check([
    ['a generated id', postHogCookie(), state({ distinct_id: generated }), generated],
    [
      'a generated id in capitals',
      postHogCookie(),
      state({ distinct_id: generated.toUpperCase() }),
      generated.toUpperCase(),
    ],
    ['a generated id of older versions', postHogCookie(), state({ distinct_id: older }), older],
    ['an e-mail address', postHogCookie(), state({ distinct_id: 'user@example.org', $epp: true }), undefined],
    ['an id of the application', postHogCookie(), state({ distinct_id: 'user_12345' }), undefined],
    ['a number of the application', postHogCookie(), state({ distinct_id: 42 }), undefined],
    ['a random UUID of the application', postHogCookie(), state({ distinct_id: uuid }), undefined],
    [
      'a device beside an id of the application',
      postHogCookie(),
      state({ distinct_id: '100001', $device_id: older }),
      older,
    ],
    [
      'a generated id that is an identified user’s',
      postHogCookie(),
      state({ distinct_id: generated, $user_id: generated }),
      undefined,
    ],
    [
      'the given project',
      postHogCookie({ project: 'phc_b' }),
      `${state({ $device_id: 'a' }, 'phc_a')}; ${state({ $device_id: 'b' }, 'phc_b')}`,
      'b',
    ],
    ['another project', postHogCookie({ project: 'phc_b' }), state({ $device_id: 'a' }, 'phc_a'), undefined],
  ])
})

// Source: @rudderstack/analytics-js 3.34.1 without its plugin StorageEncryption; SDKs of 2020 before encryption.
describe('rudderStackCookie', () => {
  check([
    ['a JSON string', rudderStackCookie(), `rl_anonymous_id=%22${uuid}%22`, uuid],
    ['a JSON string, not encoded', rudderStackCookie(), `rl_anonymous_id="${uuid}"`, uuid],
    [
      'encrypted by an older version',
      rudderStackCookie(),
      'rl_anonymous_id=RudderEncrypt%3AU2FsdGVkX18WYr%2BEvO08BJ',
      undefined,
    ],
    [
      'encrypted, as a JSON string',
      rudderStackCookie(),
      'rl_anonymous_id=%22RudderEncrypt%3AU2FsdGVkX18WYr%22',
      undefined,
    ],
    [
      'encoded, as a JSON string',
      rudderStackCookie(),
      `rl_anonymous_id=${json(`RS_ENC_v3_${base64(`"${uuid}"`)}`)}`,
      uuid,
    ],
    ['nobody', rudderStackCookie(), 'rl_anonymous_id=%22%22', undefined],
    ['null', rudderStackCookie(), 'rl_anonymous_id=null', undefined],
    ['an object', rudderStackCookie(), `rl_anonymous_id=${json({ id: uuid })}`, undefined],
  ])
})

// Sources: matomo.js (setVisitorId takes either case, setCookieNamePrefix), gtag.js (cookie_prefix), AMP's client ids,
// captures of 2013.
describe('matomoCookie, googleAnalyticsCookie and snowplowCookie', () => {
  check([
    ['Matomo: in capitals', matomoCookie(), '_pk_id.1.0056=0123456789ABCDEF.1795678725.', '0123456789ABCDEF'],
    ['Matomo: a hash in capitals', matomoCookie(), '_pk_id.1.1FFF=0123456789abcdef.1.', '0123456789abcdef'],
    [
      'Matomo: a prefix',
      matomoCookie({ prefix: '_mt_' }),
      '_pk_id.1.1fff=aaaaaaaaaaaaaaaa.1; _mt_id.1.0056=bc32c44cb3901e77.1',
      'bc32c44cb3901e77',
    ],
    [
      'Matomo: signs in a prefix',
      matomoCookie({ prefix: 'a.b' }),
      'aXbid.1.1fff=aaaaaaaaaaaaaaaa.1; a.bid.1.1fff=bbbbbbbbbbbbbbbb.1',
      'bbbbbbbbbbbbbbbb',
    ],
    [
      'Matomo: the given site',
      matomoCookie({ siteId: 2 }),
      '_pk_id.1.1fff=aaaaaaaaaaaaaaaa.1; _pk_id.2.1fff=bbbbbbbbbbbbbbbb.1',
      'bbbbbbbbbbbbbbbb',
    ],
    ['Matomo: another site', matomoCookie({ siteId: '3' }), '_pk_id.1.1fff=aaaaaaaaaaaaaaaa.1', undefined],
    [
      'Google Analytics: AMP',
      googleAnalyticsCookie(),
      '_ga=amp-yXIYdSaSxfI1Hxm9J5UxvQ',
      'amp-yXIYdSaSxfI1Hxm9J5UxvQ',
    ],
    ['Google Analytics: 2013', googleAnalyticsCookie(), '_ga=1.2.59086038.1369964423', '59086038.1369964423'],
    [
      'Google Analytics: a prefix',
      googleAnalyticsCookie({ prefix: 'shop' }),
      '_ga=GA1.2.1.2; shop_ga=GA1.2.3.4',
      '3.4',
    ],
    [
      'Google Analytics: not the prefix',
      googleAnalyticsCookie({ prefix: 'shop' }),
      '_ga=GA1.2.1.2',
      undefined,
    ],
    ['Snowplow: in capitals', snowplowCookie(), `_sp_id.8E5D=${uuid.toUpperCase()}.1.2`, uuid.toUpperCase()],
    [
      'Snowplow: a prefix',
      snowplowCookie({ prefix: '_shop_' }),
      `_sp_id.8e5d=a.1; _shop_id.8e5d=${uuid}.1.2`,
      uuid,
    ],
  ])
})

// Sources: @amplitude/analytics-browser 2.48.1 (two API keys), amplitude-js 8.21.10 (amp_ and six characters of the key).
describe('mixpanelCookie', () => {
  const state = (value: object, token = 'a1') =>
    `mp_${token}_mixpanel=${encodeURIComponent(JSON.stringify(value))}`
  const device = '19aa0b1c2d3-0c4d5e6f7a8b9c'

  check([
    ['the device', mixpanelCookie(), state({ distinct_id: `$device:${device}`, $device_id: device }), device],
    [
      'the device of a known user',
      mixpanelCookie(),
      state({ distinct_id: 'user@example.org', $device_id: device }),
      device,
    ],
    [
      'the user alone',
      mixpanelCookie(),
      state({ distinct_id: 'user@example.org', $user_id: 'user@example.org' }),
      undefined,
    ],
    [
      'one of several projects',
      mixpanelCookie({ token: 'b2' }),
      `${state({ $device_id: 'x' })}; ${state({ $device_id: device }, 'b2')}`,
      device,
    ],
    ['another project', mixpanelCookie({ token: 'b2' }), state({ $device_id: device }), undefined],
    ['a device that is no text', mixpanelCookie(), state({ $device_id: { $ne: 1 } }), undefined],
    ['no JSON', mixpanelCookie(), 'mp_a1_mixpanel=%7B%22', undefined],
    ['a cookie of the site’s', mixpanelCookie(), `mp_device=${device}`, undefined],
  ])
})

describe('amplitudeCookie', () => {
  const current = (deviceId: string) => base64(encodeURIComponent(JSON.stringify({ deviceId, userId: 'u' })))
  const legacy = 'LXQRd4x9_M-cEgTWXRTJFD.dXNlckBleGFtcGxlLm9yZw==..1k8bck374.1k8bck374.0.0.0'
  check([
    ['the legacy SDK', amplitudeCookie(), `amp_012345=${legacy}`, 'LXQRd4x9_M-cEgTWXRTJFD'],
    [
      'the legacy SDK, nobody signed in',
      amplitudeCookie(),
      `amp_012345=${uuid}R...1k8bck374.1k8bck374.0.0.0`,
      `${uuid}R`,
    ],
    [
      'the current SDK beside the legacy one',
      amplitudeCookie(),
      `amp_012345=${legacy}; AMP_0123456789=${current('new')}`,
      'new',
    ],
    ['a cookie of Google’s', amplitudeCookie(), 'AMP_TOKEN=%24NOT_FOUND', undefined],
    ['a cookie of the site’s', amplitudeCookie(), 'amp_device=mobile.touch', undefined],
    [
      'the given key',
      amplitudeCookie({ key: 'abcdef6789abcdef6789abcdef678912' }),
      `AMP_0123456789=${current('a')}; AMP_MKTG_abcdef6789=JTdCJTdE; AMP_abcdef6789=${current('b')}`,
      'b',
    ],
    [
      'the given key in capitals',
      amplitudeCookie({ key: 'ABCDEF6789' }),
      `AMP_0123456789=${current('a')}; AMP_ABCDEF6789=${current('b')}`,
      'b',
    ],
    [
      'the given key, legacy SDK',
      amplitudeCookie({ key: '012345abcdef' }),
      `amp_fedcba=x.y; amp_012345=${legacy}`,
      'LXQRd4x9_M-cEgTWXRTJFD',
    ],
    [
      'another key',
      amplitudeCookie({ key: 'abcdef6789' }),
      `AMP_0123456789=${current('a')}; amp_012345=${legacy}`,
      undefined,
    ],
  ])
})
