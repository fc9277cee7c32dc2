import { parse as parseCookies } from 'cookie'
import express from 'express'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { expressCollect, expressTracking } from '../../src/frameworks/express.js'
import { consentCookie } from '../../src/index.js'
import { launchChromium } from '../inspector/browser.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { bundle } from './bundle.js'

let browser: Browser
const scripts = new Map<string, string>()
beforeAll(async () => {
  for (const page of ['analytics-js', 'walkeros'] as const) scripts.set(page, await bundle(page))
  browser = await launchChromium()
})
afterAll(() => browser.close())

/** A shop that tracks its orders itself, and takes what its pages send. Who has signed in, a session of its own says. */
async function openShop() {
  const segment = await segmentServer()
  const signedIn = new Set<string>()
  const tracking = trackingTo(segment, {
    settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    consent: { analytics: true },
    request: {
      userId: ({ cookies }) => (signedIn.has(cookies.get('sid') ?? '') ? 'u-1' : undefined),
      consent: consentCookie('consent'),
    },
  })
  const app = express()
  const sessionOf = (header: string | undefined) => parseCookies(header ?? '').sid ?? ''
  app.use(expressTracking(tracking))
  app.use(
    '/collect',
    expressCollect(tracking, {
      events: ['Cart Opened', 'product view', 'page view'],
      traits: ['newsletter'],
      groups: () => 'G-1',
    }),
  )
  app.get('/pages/:page', (req, res) => {
    const script = `<script type="module" src="/scripts/${encodeURIComponent(req.params.page)}"></script>`
    res.cookie('sid', 's-1').send(`<!doctype html><title>Shop</title><body>${script}</body>`)
  })
  app.get('/scripts/:page', (req, res) => {
    res.type('js').send(scripts.get(req.params.page))
  })
  app.post('/login', (req, res) => {
    signedIn.add(sessionOf(req.headers.cookie))
    res.json({})
  })
  app.post('/logout', (req, res) => {
    signedIn.delete(sessionOf(req.headers.cookie))
    res.json({})
  })
  app.post('/orders', (req, res) => {
    req.track('order complete', { id: 'A-1' })
    res.json({})
  })
  const { url } = await serve(app)
  return { url, segment, tracking }
}

/** Opens a page of the shop, and waits until its script has begun. */
async function openPage(address: string): Promise<Page> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const errors: unknown[] = []
  page.on('pageerror', (error) => errors.push(error))
  onTestFinished(() => expect(errors).toEqual([]))
  await page.goto(address)
  await page.waitForSelector('body[data-ready]', { state: 'attached' })
  return page
}

/** What a consent banner does. */
const accept = (page: Page) =>
  page
    .context()
    .addCookies([
      { name: 'consent', value: '%7B%22analytics%22%3Atrue%7D', url: new URL('/', page.url()).href },
    ])
const post = (page: Page, path: string) => page.evaluate((path) => fetch(path, { method: 'POST' }), path)
/** Calls a method of the page's analytics.js, and waits until it has sent. */
const analytics = (page: Page, method: string, ...given: unknown[]) =>
  page.evaluate(
    async ([method, given]) => {
      await Reflect.get(globalThis, 'analytics')[method](...given)
    },
    [method, given] as const,
  )

describe('analytics.js in a page', () => {
  it('tracks the same visitor as the server, by their own choice, and no event twice', async () => {
    const { url, segment, tracking } = await openShop()
    const page = await openPage(`${url}/pages/analytics-js`)
    await analytics(page, 'track', 'Cart Opened', { step: 'before any choice' })
    await expect.poll(() => tracking.stats().events.dropped.consent).toBe(1)
    await accept(page)
    await analytics(page, 'page', 'Home')
    await analytics(page, 'track', 'Cart Opened', { step: 'anonymous' })
    await post(page, '/orders')
    await post(page, '/login')
    await analytics(page, 'track', 'Cart Opened', { step: 'signed in' })
    await post(page, '/orders')
    await analytics(page, 'identify', 'u-9', { newsletter: true, role: 'admin' })
    await analytics(page, 'group', 'G-1', { plan: 'team' })
    await analytics(page, 'group', 'G-2')
    await analytics(page, 'alias', 'u-9')
    await post(page, '/logout')
    await analytics(page, 'track', 'Cart Opened', { step: 'signed out' })
    await segment.waitFor(8)
    await tracking.flush()
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name === 'ajs_anonymous_id')
    const calls = segment.calls.map((call) => ({ ...call }))
    const people = new Set(calls.map(({ anonymousId }) => anonymousId))
    expect([...people]).toEqual([cookie?.value])
    const told = (call: object) => ({
      type: Reflect.get(call, 'type'),
      name: Reflect.get(call, 'event') ?? Reflect.get(call, 'name'),
      step: Reflect.get(Reflect.get(call, 'properties') ?? {}, 'step'),
      userId: Reflect.get(call, 'userId'),
    })
    const byTime = calls.toSorted((a, b) => Date.parse(String(a.timestamp)) - Date.parse(String(b.timestamp)))
    expect(byTime.map(told)).toEqual(
      [
        { type: 'page', name: 'Home' },
        { type: 'track', name: 'Cart Opened', step: 'anonymous' },
        { type: 'track', name: 'order complete' },
        { type: 'track', name: 'Cart Opened', step: 'signed in', userId: 'u-1' },
        { type: 'track', name: 'order complete', userId: 'u-1' },
        { type: 'identify', userId: 'u-1' },
        { type: 'group', userId: 'u-1' },
        { type: 'track', name: 'Cart Opened', step: 'signed out' },
      ].map((each) => ({ name: undefined, step: undefined, userId: undefined, ...each })),
    )
    expect(calls.find(({ type }) => type === 'identify')).toMatchObject({ traits: { newsletter: true } })
    for (const call of calls)
      expect(call.context).toMatchObject({
        consent: { categoryPreferences: { Analytics: true, Advertising: false } },
      })
    expect(segment.duplicates).toEqual([])
    expect(tracking.stats().events.dropped.refused).toBe(2)
  })

  it('sends what was tracked offline when it is back, once', async () => {
    const { url, segment, tracking } = await openShop()
    const page = await openPage(`${url}/pages/analytics-js`)
    await accept(page)
    await page.context().setOffline(true)
    await page.evaluate(() => void Reflect.get(globalThis, 'analytics').track('Cart Opened'))
    await page.context().setOffline(false)
    await segment.waitFor(1)
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ type: 'track', event: 'Cart Opened' }])
    expect(segment.duplicates).toEqual([])
  })

  it('sends its batch when the page is left', async () => {
    const { url, segment } = await openShop()
    const page = await openPage(`${url}/pages/analytics-js?batching`)
    await accept(page)
    await page.evaluate(() => {
      for (const step of [1, 2, 3]) Reflect.get(globalThis, 'analytics').track('Cart Opened', { step })
      return new Promise((resolve) => setTimeout(resolve, 100))
    })
    await page.goto('about:blank')
    const calls = await segment.waitFor(3)
    expect(calls.map((call) => Reflect.get(call, 'event'))).toEqual(Array(3).fill('Cart Opened'))
  })
})

describe('walkerOS in a page', () => {
  it.each(['fetch', 'beacon', 'xhr'])('tracks the same visitor as the server, by %s', async (transport) => {
    const { url, segment, tracking } = await openShop()
    const page = await openPage(`${url}/pages/walkeros?transport=${transport}`)
    await page.context().addCookies([{ name: 'ajs_anonymous_id', value: 'a-1', url }])
    const view = (id: string) =>
      page.evaluate((id) => Reflect.get(globalThis, 'elb')('product view', { id }), id)
    await view('before any choice')
    await expect.poll(() => tracking.stats().events.dropped.consent).toBe(1)
    await accept(page)
    await view('P-1')
    await segment.waitFor(1)
    await post(page, '/login')
    await post(page, '/orders')
    await view('P-2')
    await segment.waitFor(3)
    expect(segment.calls).toMatchObject([
      { event: 'product view', anonymousId: 'a-1', properties: { id: 'P-1' } },
      { event: 'order complete', anonymousId: 'a-1', userId: 'u-1' },
      { event: 'product view', anonymousId: 'a-1', userId: 'u-1', properties: { id: 'P-2' } },
    ])
  })

  it('has its beacon arrive when the tab is closed', async () => {
    const { url, segment } = await openShop()
    const page = await openPage(`${url}/pages/walkeros?transport=beacon`)
    await page.context().addCookies([{ name: 'ajs_anonymous_id', value: 'a-1', url }])
    await accept(page)
    await page.evaluate(`addEventListener('pagehide', () => void elb('product view', { id: 'last' }))`)
    await page.close({ runBeforeUnload: true })
    const [call] = await segment.waitFor(1)
    expect(call).toMatchObject({ event: 'product view', properties: { id: 'last' } })
  })
})
