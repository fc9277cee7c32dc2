import { execFile } from 'node:child_process'
import { createServer, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { segmentServer } from '../support/servers.js'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** Source: Node, "Built-in proxy support". */
const knowsProxies = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)

/** A proxy for plain HTTP, and what it was asked for. */
async function proxyTo(target: string) {
  const asked: string[] = []
  const server = createServer((req, res) => {
    asked.push(req.url ?? '')
    const { pathname } = new URL(req.url ?? '')
    const { method, headers } = req
    req.pipe(
      request(target + pathname, { method, headers }, (answer) => {
        res.writeHead(answer.statusCode ?? 502)
        answer.pipe(res)
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return { asked, url: `http://127.0.0.1:${address.port}` }
}

/** Tracks a call in a process with these variables of the environment. */
async function trackIn(host: string, env: Record<string, string>): Promise<string> {
  const source = JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))
  const script = `
    import { createTracking } from ${source}
    const tracking = createTracking({ settings: { writeKey: 'k', host: ${JSON.stringify(host)} } })
    tracking.segment.track({ userId: 'u', event: 'Order Completed' })
    await tracking.flush({ timeout: 3000 })
    console.log((await tracking.shutdown({ timeout: 100 })).pending)
    process.exit()`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { HTTP_PROXY: _, http_proxy: __, NO_PROXY: ___, no_proxy: ____, ...rest } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...rest, ...env } })
  return stdout.trim()
}

describe.skipIf(!knowsProxies)('the proxy of the environment', () => {
  it('is used where NODE_USE_ENV_PROXY asks for it', async () => {
    const segment = await segmentServer()
    const proxy = await proxyTo(segment.url)
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url }
    expect(await trackIn('http://segment.invalid', env)).toBe('0')
    expect(proxy.asked).toEqual(['http://segment.invalid/v1/batch'])
    expect(segment.received).toBe(1)
  })

  it('is not used for a host in NO_PROXY', async () => {
    const segment = await segmentServer()
    const proxy = await proxyTo(segment.url)
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' }
    expect(await trackIn(segment.url, env)).toBe('0')
    expect(proxy.asked).toEqual([])
    expect(segment.received).toBe(1)
  })

  it('is not used where nothing asks for it', async () => {
    const segment = await segmentServer()
    const proxy = await proxyTo(segment.url)
    expect(await trackIn(segment.url, { HTTP_PROXY: proxy.url })).toBe('0')
    expect(proxy.asked).toEqual([])
    expect(segment.received).toBe(1)
  })
})
