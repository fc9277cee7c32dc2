import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { InspectorOptions } from '../../src/inspector/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { launchChromium } from './browser.js'
import { createShop, shopConfig, visitorWith } from './shop.js'

let browser: Browser
beforeAll(async () => {
  // Names of others that lead to this machine, as an attacker's DNS server has it.
  browser = await launchChromium(['--host-resolver-rules=MAP *.example 127.0.0.1'])
})
afterAll(() => browser.close())

/**
 * Serves a shop with a visitor's order.
 *
 * @returns Where it is under a name, and the statuses of all answers of the inspector's API, by who asked.
 */
async function openShop(options?: InspectorOptions) {
  const tracking = trackingTo(await segmentServer(), shopConfig)
  const shop = createShop(tracking, options)
  const answers: [site: unknown, status: number][] = []
  const { url } = await serve((req, res) => {
    if (req.url?.includes('/api/')) {
      res.on('finish', () => answers.push([req.headers['sec-fetch-site'], res.statusCode]))
    }
    shop(req, res)
  })
  await (await fetch(`${url}/orders`, { method: 'POST', headers: visitorWith('a1') })).text()
  return { at: (host: string) => `http://${host}:${new URL(url).port}`, answers }
}

async function openPage(): Promise<Page> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  return context.newPage()
}

/** The statuses of what the page itself gets from the inspector's addresses, and how often it got the visitor's id. */
function read(page: Page, base: string, mode: 'cors' | 'no-cors'): Promise<unknown> {
  return page.evaluate(`
    Promise.all(['', '/api/requests', '/api/totals'].map(async (path) => {
      const response = await fetch(${JSON.stringify(`${base}/__reqtrack`)} + path, { mode: '${mode}' })
      return [response.status, (await response.text()).includes('a1')]
    }))
  `)
}

it('gives nothing to a page whose name has been pointed at this machine', async () => {
  const { at } = await openShop()
  const page = await openPage()
  // Its own page first: the application answers under every name.
  await page.goto(`${at('evil.example')}/about`)
  expect(await read(page, at('evil.example'), 'cors')).toEqual([
    [403, false],
    [403, false],
    [403, false],
  ])
  const response = await page.goto(`${at('evil.example')}/__reqtrack`)
  expect(response?.status()).toBe(403)
  expect(await page.innerText('body')).toContain("inspector(tracking, { hosts: ['evil.example'] })")
})

it('gives no data to a page of another site, whoever is signed in', async () => {
  const { at, answers } = await openShop({ authorize: () => true })
  const page = await openPage()
  const other = await serve(
    (_req, res) => void res.setHeader('content-type', 'text/html').end('<p>other</p>'),
  )
  for (const name of ['other.example', 'localhost']) {
    await page.goto(`http://${name}:${new URL(other.url).port}/`)
    await expect(read(page, at('localhost'), 'cors')).rejects.toThrow()
    await page.evaluate(
      `Promise.all(['requests', 'totals'].map((name) => new Promise((resolve) => {
        const script = document.createElement('script')
        script.onload = script.onerror = resolve
        script.src = ${JSON.stringify(`${at('localhost')}/__reqtrack/api/`)} + name
        document.body.append(script)
      })))`,
    )
  }
  expect(answers).toContainEqual(['cross-site', 403])
  expect(answers).toContainEqual(['same-site', 403])
  expect(answers.filter(([, status]) => status !== 403)).toEqual([])
})

it.each([
  ['localhost', undefined],
  ['shop.localhost', undefined],
  ['dev.example', { hosts: ['dev.example'] }],
])('is live under %s', async (host, options) => {
  const { at } = await openShop(options)
  const page = await openPage()
  await page.goto(`${at(host)}/__reqtrack`)
  await page.getByText('live', { exact: true }).waitFor()
  await page.locator('#list a').filter({ hasText: '/orders' }).click()
  await page.getByRole('article').filter({ hasText: 'order complete' }).waitFor()
})
