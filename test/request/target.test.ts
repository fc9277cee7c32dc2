import { request } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestUrl } from '../../src/request/target.js'
import { browser, frameworks, serverSite, site } from './site.js'

describe('requestUrl', () => {
  it.each([
    ['/a?b=c', 'http://shop.example/a?b=c'],
    ['//evil.example/path', 'http://shop.example//evil.example/path'],
    ['/\\evil.example', 'http://shop.example//evil.example'],
    ['file:///etc/passwd', 'http://shop.example/etc/passwd'],
    ['http://other.example/x?y=1', 'http://shop.example/x?y=1'],
    ['HTTPS://user:pw@other.example:8443/x', 'http://shop.example/x'],
    ['http://other.example', 'http://shop.example/'],
    ['http://other.example?x=1', 'http://shop.example/?x=1'],
    ['http:////evil.example', 'http://shop.example//evil.example'],
    ['gopher://other.example/', 'http://shop.example/'],
    ['javascript:alert(1)', 'http://shop.example/'],
    ['data:text/html,x', 'http://shop.example/'],
    ['evil.example:443', 'http://shop.example/'],
    ['@evil.example/', 'http://shop.example/'],
    ['.evil.example/', 'http://shop.example/'],
    [':8080/', 'http://shop.example/'],
    ['*', 'http://shop.example/'],
    ['?x=1', 'http://shop.example/?x=1'],
    ['', 'http://shop.example/'],
  ])('takes of the target %s nothing but its path', (target, url) => {
    expect(requestUrl('http://shop.example', target).href).toBe(url)
  })

  it.each([
    ['http://shop.example:8080', 'http://shop.example:8080'],
    ['https://SHOP.example', 'https://shop.example'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://shop.example:', 'http://shop.example'],
    ['http://a_b.shop-1.example', 'http://a_b.shop-1.example'],
    [`http://${'a'.repeat(63)}.example`, `http://${'a'.repeat(63)}.example`],
  ])('takes the origin %s', (given, origin) => {
    expect(requestUrl(given, '/x').origin).toBe(origin)
  })

  it.each([
    undefined,
    '',
    'http://',
    'http://evil.example/forged?x=',
    'http://evil.example?x=',
    'http://evil.example#',
    'http://evil.example\\forged',
    'http://user@shop.example',
    'http://shop.example@evil.example',
    'http://shop.example:80:80',
    'http://shop.example:http',
    'http://shop.example:99999',
    'http://shop.example, evil.example',
    'http://shop example',
    'http://shöp.example',
    'http://[::1',
    'http://[not]',
    'http://%',
    'http://shop%2fexample',
    'http://1.2.3.4.5',
    'javascript://shop.example',
    'file://shop.example',
    `http://${'a'.repeat(256)}`,
    `https://${'a.'.repeat(7_500)}`,
  ])('takes %o for no origin, and keeps the path', (origin) => {
    expect(requestUrl(origin, '/x?y=1').href).toBe('http://localhost/x?y=1')
  })

  it('takes a host of 255 characters, and none of 256, whatever the scheme', () => {
    const host = (length: number) => `${'a.'.repeat(200)}`.slice(0, length)
    for (const scheme of ['http', 'https']) {
      expect(requestUrl(`${scheme}://${host(255)}`, '/').host).toBe(host(255))
      expect(requestUrl(`${scheme}://${host(256)}`, '/').host).toBe('localhost')
    }
  })

  it('never throws, and never takes a part of the host for a path or of the path for a host', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.webPath(), fc.string(), (host, path, target) => {
        const url = requestUrl(`http://${host}`, `/p${path}`)
        expect(url.pathname.startsWith('/p')).toBe(true)
        expect(['http:', 'https:']).toContain(url.protocol)
        expect(requestUrl('http://shop.example', target).origin).toBe('http://shop.example')
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Sends a request line and a host as they are. */
async function send(
  url: string,
  path: string,
  host: string,
  more: Record<string, string> = {},
): Promise<void> {
  const { hostname, port } = new URL(url)
  await new Promise<void>((resolve, reject) => {
    const headers = { ...browser, host, ...more }
    request({ hostname, port, path, agent: false, headers }, (response) => {
      response.resume().on('end', resolve)
    })
      .on('error', reject)
      .end()
  })
}

describe.each(frameworks)('in $name, what a client sends as host and target', (framework) => {
  it.each([
    ['evil.example/forged?x=', '/shoes', 'http://localhost/shoes'],
    [`${'a'.repeat(14_000)}`, '/shoes', 'http://localhost/shoes'],
    ['shop.example\\forged', '/shoes', 'http://localhost/shoes'],
    ['shop.example', 'file:///etc/passwd', 'http://shop.example/etc/passwd'],
    ['shop.example', 'http://evil.example/shoes', 'http://shop.example/shoes'],
    ['shop.example', '//evil.example/shoes', 'http://shop.example//evil.example/shoes'],
  ])('%# is not in the page', async (host, path, url) => {
    const urls: string[] = []
    const {
      segment,
      tracking,
      url: at,
    } = await site(
      framework,
      {
        request: {
          anonymousId: (given) => {
            urls.push(given.url.href)
            return 'a1'
          },
        },
      },
      ({ tracker, send: answer }) => {
        tracker.track('page read')
        answer('text/plain', 'ok')
      },
    )
    await send(at, path, host)
    await tracking.flush()
    await segment.waitFor(1)
    expect(new Set(urls)).toEqual(new Set([url]))
    expect(segment.calls[0]?.context?.page).toEqual({ url, path: new URL(url).pathname })
    expect(JSON.stringify(segment.calls)).not.toMatch(/forged|a{50}/)
  })
})

describe('on a bare server', () => {
  it('an asterisk is the root', async () => {
    const { segment, tracking, url } = await serverSite({}, (made) => (req, res) => {
      const tracker = made.handle(req, res)
      tracker.user({ session: 'a1' })
      tracker.track('page read')
      res.end()
    })
    await send(url, '*', 'shop.example')
    await tracking.flush()
    const calls = await segment.waitFor(1)
    expect(calls[0]?.context?.page).toEqual({ url: 'http://shop.example/', path: '/' })
  })
})
