import type { OutgoingHttpHeaders } from 'node:http'
import type { Given } from './in-process.js'
import { browser } from './site.js'

/** A text of so many characters that repeats a part. */
export function full(part: string, length = 15_000): string {
  return part.repeat(Math.ceil(length / part.length)).slice(0, length)
}

const distinct = (make: (index: number) => string, count: number) =>
  Array.from({ length: count }, (_, at) => make(at))

/** What a browser sends. */
export const ordinary: Given = {
  url: '/find?q=shoes&utm_source=mail',
  headers: {
    ...browser,
    host: 'shop.example',
    'accept-language': 'fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5',
    referer: 'https://search.example/find?q=x',
    cookie: 'ajs_anonymous_id=23adfd82-aa0f-45a7-a756-24f2a7a4c895; session=abc; theme=dark',
  },
}

/** Languages, each a little better than the one before. */
export const qualities = (tag: (index: number) => string) =>
  distinct((at) => `${tag(at)};q=0.${String(at + 1).padStart(3, '0')}`, 64).join(',')

/** What visitors can send to make a request cost. */
export const costly: readonly [what: string, headers: OutgoingHttpHeaders, url?: string][] = [
  ['256 broken languages', { 'accept-language': full('x,', 586) }],
  ['languages that are nearly some', { 'accept-language': full('x-,') }],
  ['nothing but commas for languages', { 'accept-language': full(',') }],
  ['nothing but spaces for languages', { 'accept-language': full(' ') }],
  ['better and better languages', { 'accept-language': qualities(() => 'EN-us') }],
  ['better and better languages that are broken', { 'accept-language': qualities((at) => `e-${at}`) }],
  ['languages that repeat a part', { 'accept-language': qualities(() => 'de-1996-1996') }],
  ...[
    ';',
    '=',
    '"',
    '%',
    ' ',
    '; ',
    'a=b;',
    'a;',
    'a=\t;',
    ';;=',
    '=;',
    '=a;',
    'ajs_anonymous_id=x;',
    '%25',
    '\\"',
  ].map((part): [string, OutgoingHttpHeaders] => [`15 KB of ${part} as cookies`, { cookie: full(part) }]),
  ['a cookie behind 15 KB of semicolons', { cookie: `${full(';', 14_980)}a=b` }],
  ['cookies without an end', { cookie: `${full('a;', 14_980)}=` }],
  ['3,000 cookies', { cookie: distinct((at) => `${at.toString(36)}=`, 3_000).join(';') }],
  ['an anonymousId of percents', { cookie: `ajs_anonymous_id=${full('%', 4_000)}` }],
  ...['a', 'a.', '.', ':', '[', '%41', '[::1]', '1.', 'a@', '/', '?', 'xn--'].map(
    (part): [string, OutgoingHttpHeaders] => [`15 KB of ${part} as host`, { host: full(part) }],
  ),
  ['a host that almost fits', { host: full('1.', 255) }],
  ...[
    'a',
    '/',
    '/..',
    '/.',
    '%',
    '%40',
    '@',
    ';',
    '/;',
    'a@b.c/',
    '%2540',
    '%EF%BC%A0',
    '\\',
    '#',
    '?',
  ].flatMap((part): [string, OutgoingHttpHeaders, string][] => [
    [`15 KB of ${part} as path`, {}, `/${full(part)}`],
    [`1 KB of ${part} as path`, {}, `/${full(part, 1_000)}`],
  ]),
  ...[
    '&',
    '=',
    'a=b&',
    'utm_a=b&',
    'utm_a=%&',
    'utm_a=%2540b.cd&',
    'gclid=1&',
    'gclid=%FF&',
    '?',
    '%',
    'q=@.&',
  ].map((part): [string, OutgoingHttpHeaders, string] => [
    `15 KB of ${part} as query`,
    {},
    `/?${full(part)}`,
  ]),
  ['many campaign members', {}, `/?${distinct((at) => `utm_x${at.toString(36)}=%41`, 300).join('&')}`],
  ['many that are broken', {}, `/?${distinct((at) => `utm_x${at.toString(36)}=%FF`, 300).join('&')}`],
  ['a broken click id of each platform', {}, `/?${full('gclid=%&fbclid=%&msclkid=%&ttclid=%&')}`],
  ['a long value', {}, `/?utm_source=${full('%25', 512)}`],
  ...['a', '@', 'a@b.c/', '%40', '#', ' ', '?', 'utm_a=@&', 'https://a.example/'].flatMap(
    (part): [string, OutgoingHttpHeaders][] => [
      [
        `4 KB of ${part} as referrer`,
        { referer: `https://a.example/${full(part, 900)}?${full(part, 3_000)}` },
      ],
      [
        `a script’s page of ${part}`,
        { 'sec-fetch-dest': 'empty', referer: `https://a.example/${full(part, 900)}?${full(part, 3_000)}` },
      ],
    ],
  ),
  ['15 KB of referrer', { referer: full('https://a.example/') }],
  ['a user of 4 KB in the referrer', { referer: `https://${full('a', 4_000)}@x` }],
  ...['Mozilla/5.0 (X11; ', 'bot/1 ', ' ', 'x', 'http://', '(', '1.'].map(
    (part): [string, OutgoingHttpHeaders] => [`15 KB of ${part} as name`, { 'user-agent': full(part) }],
  ),
  ['15 KB of trace', { traceparent: full('00-') }],
  [
    'a trace that goes on',
    { traceparent: `01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${full('x')}` },
  ],
  ['15 KB of types', { accept: full('text/htm,'), 'sec-fetch-dest': undefined }],
  ['15 KB of destination', { 'sec-fetch-dest': full('document') }],
  ['15 KB of Global Privacy Control', { 'sec-gpc': full('0,') }],
  ['15 KB of purpose', { 'sec-purpose': full('prefetch') }],
  ['15 KB of origin', { origin: full('https://a'), accept: '*/*', 'sec-fetch-dest': undefined }],
  [
    '15 KB of proxies',
    { 'x-forwarded-for': full('1.2.3.4, '), 'x-forwarded-host': 'a', 'x-forwarded-proto': 'b' },
  ],
]
