import { connect } from 'node:net'
import fc from 'fast-check'
import { formats, tcString } from '../request/consent-formats.js'

/** In whatever could be told by its log that it holds what a visitor sent. */
export const SECRET = 'zqsecretzq'

const UUID = '23adfd82-aa0f-45a7-a756-24f2a7a4c895'
const choices = new Map([
  ['C0002', true],
  ['statistics', false],
  ['analytics', true],
  ['marketing', false],
])

/** What consent managers and analytics tools leave in a browser. */
const cookies: readonly string[] = [
  ...formats.flatMap(({ write }) => write(choices).split('; ')),
  `euconsent-v2=${tcString([1, 2, 3])}`,
  'gpp=DBABLA~BVQqAAAAAgA.QA',
  'usprivacy=1YNN',
  `ajs_anonymous_id=%22${UUID}%22`,
  `ajs_user_id=${SECRET}`,
  `_ga=GA1.2.1234567890.1700000000`,
  `FPID=FPID2.2.${SECRET}.1700000000`,
  `_pk_id.1.1fff=0123456789abcdef.1700000000.`,
  `_sp_id.1fff=${UUID}.1700000000.1.1700000000..${UUID}`,
  `rl_anonymous_id=RS_ENC_v3_${Buffer.from(JSON.stringify(UUID)).toString('base64')}`,
  `ph_phc_key_posthog=${encodeURIComponent(JSON.stringify({ distinct_id: UUID }))}`,
  `amp_0123456789=${UUID}...1h.1h.1.0.1`,
  `AMP_0123456789=${Buffer.from(encodeURIComponent(JSON.stringify({ deviceId: UUID }))).toString('base64')}`,
  `elbDeviceId=${UUID}`,
  `session=${SECRET}`,
]

/** Characters that a header may have on the wire: all bytes but the ends of lines and, for most parsers, NUL. */
const headerBytes = fc
  .array(fc.integer({ min: 1, max: 255 }), { maxLength: 40 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13)).toString('latin1'))

const bits = fc.constantFrom(
  '%',
  '%25',
  '%00',
  '%FF',
  '"',
  '\\',
  ';',
  ',',
  '=',
  ' ',
  '\t',
  '{',
  '[',
  '[[[[',
  '~',
  '.',
  '-1',
  '__proto__',
  'constructor',
  '\u0000',
  '\u007f',
  '\u0080',
  '9'.repeat(400),
  SECRET,
)

/** Damages a text as transports, proxies and attackers do. */
function damaged(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom('cut', 'insert', 'replace', 'repeat', 'flip', 'nothing'),
      fc.nat(),
      bits,
      fc.nat(30),
    )
    .map(([how, at, bit, length]) => {
      const from = text.length === 0 ? 0 : at % text.length
      if (how === 'cut') return text.slice(0, from)
      if (how === 'insert') return text.slice(0, from) + bit + text.slice(from)
      if (how === 'replace') return text.slice(0, from) + bit + text.slice(from + length)
      if (how === 'repeat') return text.repeat(1 + (length % 8))
      if (how === 'flip')
        return (
          text.slice(0, from) + String.fromCharCode((text.charCodeAt(from) ^ 1) & 255) + text.slice(from + 1)
        )
      return text
    })
}

const cookieHeader = fc
  .array(fc.constantFrom(...cookies).chain(damaged), { maxLength: 12 })
  .chain((some) => fc.constantFrom('; ', ';', ';;', ' ; ', ',').map((between) => some.join(between)))

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  Host: [
    'shop.example',
    'shop.example:8443',
    '[::1]:80',
    'a@b',
    'a/b',
    'xn--',
    '',
    `${SECRET}.example`,
    'localhost:99999',
  ],
  'Accept-Language': ['fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5', 'x-,', 'en;q=1e999', 'de-1996-1996'],
  'User-Agent': ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'bot', ''],
  Referer: [
    `https://search.example/find?q=${SECRET}#x`,
    'android-app://com.example/',
    '//x',
    'https://a:b@c/%',
    'data:,',
  ],
  traceparent: [
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-0-0',
    'ff-',
  ],
  'X-Forwarded-For': ['203.0.113.7, 10.0.0.1', '::ffff:1.2.3.4', '999.1.1.1', 'unknown', ',,,,'],
  'X-Forwarded-Host': ['shop.example:8443, proxy', '', '@@@', 'a'.repeat(300)],
  'X-Forwarded-Proto': ['https', 'https,http', 'javascript', ''],
  Forwarded: ['for="[2001:db8::1]";proto=https'],
  'Sec-Fetch-Dest': ['document', 'empty', 'iframe'],
  'Sec-Fetch-Mode': ['navigate', 'cors'],
  'Sec-GPC': ['1', '0', '1, 1', 'true'],
  'Sec-Purpose': ['prefetch', 'prefetch;prerender'],
  DNT: ['1'],
  Purpose: ['prefetch'],
  Accept: ['text/html', '*/*', 'text/html;q=nan'],
  Origin: ['https://shop.example', 'null'],
  Authorization: [`Bearer ${SECRET}`],
  'X-User-Id': ['u-1', SECRET],
  'X-Consent': ['analytics:1', '{"analytics":true}', '%7B'],
  'X-HTTP-Method-Override': ['DELETE'],
}

const header = fc
  .constantFrom(...Object.entries(HEADERS))
  .chain(([name, values]) =>
    fc
      .oneof(fc.constantFrom(...values), fc.constantFrom(...values).chain(damaged), headerBytes)
      .map((value) => [name, value] as const),
  )

const pathPiece = fc.constantFrom(
  '/',
  '//',
  '..',
  '.',
  '%',
  '%2F',
  '%00',
  '%FF',
  '%C0%AF',
  '%E2%82',
  '%ef%bc%a0',
  'a',
  'orders',
  'me%40x.example',
  '@',
  ';',
  ':',
  '*',
  '(',
  '[',
  '\\',
  '|',
  '^',
  '"',
  '<',
  '~',
  '\u00e9',
  '\u0001',
  '\u007f',
  'x'.repeat(3_000),
  SECRET,
)
const queryPiece = fc.constantFrom(
  '&',
  '=',
  '?',
  '#',
  '%',
  '%FF',
  'utm_source=',
  'utm_campaign=x&',
  'gclid=',
  'q=',
  '__proto__=',
  '[a]=',
  'a[b][c]=',
  '+',
  `token=${SECRET}`,
  'x'.repeat(2_000),
)

const target = fc
  .tuple(
    fc.constantFrom(
      '/',
      '/',
      '//',
      '/\\',
      'http://shop.example',
      'http://',
      'http://a:b@[::1]:8/',
      'HTTPS://x/',
      '*',
      '',
      '?',
      'javascript:',
      '/orders/',
    ),
    fc.array(pathPiece, { maxLength: 6 }),
    fc.constantFrom('', '?'),
    fc.array(queryPiece, { maxLength: 6 }),
  )
  .map(([start, path, mark, query]) => `${start}${path.join('')}${mark}${mark && query.join('')}`)

const body = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 60 }).map((text) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`),
  fc
    .string({ minLength: 1, maxLength: 60 })
    .map(
      (text) =>
        `Transfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    ),
  fc.constantFrom(
    'Transfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'Content-Length: -1\r\n\r\n',
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
    'Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{',
  ),
)

/** A request as it goes over the wire. */
export const rawRequest: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'),
    fc.oneof(
      { arbitrary: target, weight: 3 },
      { arbitrary: fc.constantFrom('/', '/orders/A-1', '/page'), weight: 1 },
    ),
    fc.array(header, { maxLength: 8 }),
    fc.array(cookieHeader, { maxLength: 2 }),
    body,
  )
  .map(([method, where, headers, cookieHeaders, content]) => {
    const hasHost = headers.some(([name]) => name === 'Host')
    const lines = [
      `${method} ${where} HTTP/1.1`,
      ...(hasHost ? [] : ['Host: shop.example']),
      'Connection: close',
      ...headers.map(([name, value]) => `${name}: ${value}`),
      ...cookieHeaders.map((value) => `Cookie: ${value}`),
    ]
    return Buffer.from(`${lines.join('\r\n')}\r\n${content || '\r\n'}`, 'latin1')
  })

/** Sends bytes, and resolves with all that comes back, when the server closes. */
export function exchangeRaw(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('data', (chunk) => chunks.push(chunk))
    // A reset ends it, too: what came before it counts.
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(bytes)
  })
}
