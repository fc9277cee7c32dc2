import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { source as axeSource } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { TrackingConfig } from '../../src/index.js'
import type { InspectorOptions } from '../../src/inspector/index.js'
import { definePlan } from '../../src/plan/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { launchChromium } from './browser.js'
import { createShop, shopConfig, visitorWith } from './shop.js'

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const WIDE = { width: 1280, height: 860 }
const MIDDLE = { width: 1000, height: 800 }
const NARROW = { width: 360, height: 780 }

/** Replaces what differs with every run, so that a picture changes only when the page does. */
const SAME_EVERY_TIME = `
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode
    const same = text.data
      .replace(/\\b\\d\\d:\\d\\d:\\d\\d\\b/g, '10:24:36')
      .replace(/\\d+(\\.\\d+)? ms\\b/g, '4 ms')
      .replace(/"\\d{4}-\\d\\d-\\d\\dT[^"]*"/g, '"2026-01-15T10:24:36.000Z"')
    if (same !== text.data) text.data = same
  }
`

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

async function openShop(config: Partial<TrackingConfig> = {}, options?: InspectorOptions) {
  const segment = await segmentServer()
  const settings = { ...shopConfig.settings, ...config.settings }
  const tracking = trackingTo(segment, { ...shopConfig, ...config, settings })
  const { url, server } = await serve(createShop(tracking, options))
  return {
    segment,
    tracking,
    server,
    inspector: `${url}/__reqtrack`,
    async ask(path: string, headers = visitorWith('a1'), method = 'GET'): Promise<void> {
      await (await fetch(url + path, { method, headers })).text()
    },
    order(user = 'ada') {
      return this.ask('/orders', { ...visitorWith('a1'), 'x-user': user }, 'POST')
    },
  }
}

/** Opens a page; what the browser complains of fails the test. */
async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: WIDE, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text())
    }
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  await page.goto(url)
  await page.getByText('live', { exact: true }).waitFor()
  return page
}

const row = (page: Page, text: string) => page.locator('#list a').filter({ hasText: text })
const detail = (page: Page) => page.getByRole('region', { name: 'Request', exact: true })

async function seriousFaults(page: Page): Promise<string[]> {
  // Evaluated by the debugger, since the page's own policy lets no other script in.
  await page.evaluate(axeSource)
  const found: unknown = await page.evaluate(
    "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))",
  )
  return Array.isArray(found) ? found : ['axe gave no answer']
}

/** What scrolls sideways, which nothing but code may. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

/** The steps of ways whose names do not fit where they stand. */
async function cramped(page: Page): Promise<string[]> {
  const found: unknown = await page.evaluate(
    `[...document.querySelectorAll('.way li')].flatMap((step) => {
      const name = step.querySelector('.stage')
      const [inner, outer] = [name.getBoundingClientRect(), step.getBoundingClientRect()]
      return inner.left < outer.left || inner.right > outer.right ? [name.textContent] : []
    })`,
  )
  return Array.isArray(found) ? found : ['there was no answer']
}

describe('an order', () => {
  it('appears within a second of its answer, opens, and shows its way and its exact JSON', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    await page.getByText('No request yet.').waitFor()
    // The fastest of a few: the machine may be busy with something else in any one of them.
    let fastest = Number.POSITIVE_INFINITY
    for (let orders = 1; orders <= 3 && fastest >= 1_000; orders++) {
      await shop.order(`ada-${orders}`)
      const answered = performance.now()
      await row(page, `ada-${orders}`).waitFor()
      fastest = Math.min(fastest, performance.now() - answered)
    }
    expect(fastest).toBeLessThan(1_000)
    await row(page, 'ada-1').click()
    const event = detail(page).getByRole('article').filter({ hasText: 'order complete' })
    await event.getByText('delivered').first().waitFor()
    const way = event.getByRole('list', { name: 'The event’s way' }).getByRole('listitem')
    await expect.poll(() => way.allInnerTexts()).toHaveLength(7)
    expect((await way.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
      '✓ Tracked : passed',
      '✓ Consent : passed analytics',
      '✓ Mapping : passed order complete',
      '✓ Identity : passed ada-1',
      '✓ De-duplication : passed all new',
      '✓ Calls : passed identify, track',
      '✓ Delivery : passed delivered',
    ])
    const json = event.getByRole('region', { name: 'The call track Order Completed' })
    const text = await json.textContent()
    const { _metadata, ...received } = Object(
      shop.segment.calls.find(({ type, userId }) => type === 'track' && userId === 'ada-1'),
    )
    expect(received).toMatchObject(JSON.parse(text ?? ''))
    await event.getByText('200 OK').first().waitFor()
    await event.locator('summary', { hasText: 'Order Completed' }).click()
    await json.waitFor({ state: 'hidden' })
    expect(await detail(page).locator('.who').first().innerText()).toMatch(/ada-1\s*by signedInUser/)
  })

  it('has its JSON copied', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector, { permissions: ['clipboard-read', 'clipboard-write'] })
    await shop.order()
    await row(page, '/orders').click()
    await detail(page).getByRole('button', { name: 'Copy', exact: true }).first().click()
    await detail(page).getByRole('button', { name: 'Copied' }).waitFor()
    const copied = await page.evaluate('navigator.clipboard.readText()')
    expect(JSON.parse(String(copied))).toMatchObject({ type: 'identify', userId: 'ada' })
    await detail(page).getByRole('button', { name: 'Copy link' }).click()
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(page.url())
  })

  it('has an address of its own, also where it is no longer kept', async () => {
    const shop = await openShop({}, { capacity: 1 })
    const page = await openPage(shop.inspector)
    await shop.order()
    await row(page, '/orders').click()
    await detail(page).getByRole('article').waitFor()
    const other = await openPage(page.url())
    await detail(other).getByRole('heading', { name: 'POST /orders' }).waitFor()
    await shop.ask('/style.css')
    await row(other, '/style.css').waitFor()
    expect(await other.locator('#list li').count()).toBe(1)
    await other.reload()
    await detail(other).getByText('It is not kept: the server keeps the last 1 request,').waitFor()
  })
})

/** A plan that orders do not keep to. */
const plan = definePlan({
  events: {
    'order complete': z.object({ id: z.string(), total: z.string(), currency: z.string() }),
    'product view': z.object({ id: z.string() }),
  },
})

describe('what is against the plan', () => {
  it('is shown in a step of its own, with the expected shape beside what came', async () => {
    const shop = await openShop({ plan })
    const page = await openPage(shop.inspector)
    await shop.order()
    await row(page, '/orders').click()
    await detail(page).locator('.way .plan.flagged').waitFor()
    const against = detail(page).getByRole('region', { name: 'What is against the plan in order complete' })
    await against.getByText('total is a number').waitFor()
    await against.getByText('currency is missing').waitFor()
    const [expected, came] = await against.locator('.json code').allInnerTexts()
    expect(expected).toContain('"total": "a string"')
    expect(came).toContain('"total": 42')
    await shop.ask('/products/P-1')
    await row(page, '/products/P-1').click()
    await detail(page).getByText('as planned').waitFor()
    expect(await detail(page).locator('.against-plan').count()).toBe(0)
  })
})

describe('a run', () => {
  it('appears by its name, and how it ended stands where a status would', async () => {
    const { tracking, inspector } = await openShop()
    const page = await openPage(inspector)
    const sender = { name: 'invoice worker', user: { id: 'ada' }, consent: { analytics: true } }
    tracking.run(sender, (tracker) => tracker.track('order complete', { total: 42 }))
    await row(page, 'invoice worker').click()
    await detail(page).getByRole('heading', { name: 'run invoice worker' }).waitFor()
    const facts = detail(page).locator('.facts')
    await facts.getByText('done', { exact: true }).waitFor()
    expect(await facts.innerText()).not.toMatch(/route|aborted/)
    await detail(page).getByText('delivered').first().waitFor()
    const broken = tracking.run({ ...sender, name: 'mail worker' }, async () => {
      throw new Error('no mail today')
    })
    await expect(broken).rejects.toThrow('no mail today')
    await row(page, 'mail worker').getByText('failed', { exact: true }).waitFor()
    await row(page, 'mail worker').click()
    await detail(page).getByText('It tracked nothing.').waitFor()
    expect(await seriousFaults(page)).toEqual([])
  })
})

describe('what did not arrive', () => {
  it('shows why: a refused consent', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    await shop.ask('/products/P-1', visitorWith('a2', { analytics: false, functional: true }))
    await row(page, '/products/P-1').click()
    const reason =
      'Dropped: consent. config.consent needs analytics or marketing; this visitor has granted functional ' +
      '(consentCookie) and refused analytics (consentCookie).'
    await detail(page).getByText(reason).waitFor()
    expect(await detail(page).locator('.way .stopped').innerText()).toMatch(/Consent/)
    await page.getByLabel('Totals').getByText('consent', { exact: true }).waitFor()
  })

  it('shows a call that is tried again, and Segment’s answers', async () => {
    const shop = await openShop()
    shop.segment.respondWith({ status: 503 })
    const page = await openPage(shop.inspector)
    await shop.order()
    await row(page, '/orders').click()
    await detail(page).getByText('503 Service Unavailable').first().waitFor()
    await detail(page).locator('.way .retrying').waitFor()
    shop.segment.respondWith('ok')
    await detail(page).locator('.event.delivered').waitFor()
    await detail(page).getByText('200 OK').first().waitFor()
  })
})

describe('hostile input', () => {
  it('is shown as text', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    const name = '<script>document.title="broken"</script><img src=x onerror=document.title="broken"> x'
    await shop.ask(`/track/${encodeURIComponent(name)}`, {
      ...visitorWith('<b>a1'),
      'x-user': '"><script>document.title="broken"</script>',
    })
    await row(page, name).click()
    await detail(page).getByRole('heading', { name }).waitFor()
    await detail(page).getByText('"><script>').first().waitFor()
    await page.getByLabel('Event', { exact: true }).selectOption(name)
    expect(await page.title()).toBe('reqtrack inspector')
    expect(await page.locator('#list script, #list img, #detail script, #detail img, #list b').count()).toBe(
      0,
    )
  })
})

describe('the list', () => {
  it('is filtered by user, event, route and outcome', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    await shop.order('ada')
    await shop.order('grace')
    await shop.ask('/products/P-1')
    await shop.ask('/products/P-2', visitorWith('a2', { analytics: false }))
    await shop.ask('/style.css')
    await row(page, '/style.css').waitFor()
    await shop.tracking.flush()
    const shown = () => page.locator('#list li:visible').count()
    await expect.poll(shown).toBe(5)
    await page.getByLabel('User', { exact: true }).fill('GRA')
    expect(await shown()).toBe(1)
    expect(await page.locator('#count').textContent()).toBe('1 of 5')
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(shown).toBe(5)
    await page.getByLabel('Event', { exact: true }).selectOption('product view')
    expect(await shown()).toBe(2)
    await page.getByLabel('Outcome', { exact: true }).selectOption('dropped')
    expect(await shown()).toBe(1)
    await page.getByLabel('Event', { exact: true }).selectOption('any')
    await page.getByLabel('Outcome', { exact: true }).selectOption('no events')
    expect(await shown()).toBe(1)
    await page.getByLabel('Outcome', { exact: true }).selectOption('failed')
    await page.getByText('No request is like that.').waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByLabel('Route', { exact: true }).selectOption('GET /products/:id')
    expect(await shown()).toBe(2)
  })

  it('stands still while it is paused', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    await page.keyboard.press('p')
    await page.getByText('paused').waitFor()
    await shop.order()
    await page.getByRole('button', { name: 'Resume (1 new)' }).waitFor()
    expect(await page.locator('#list li').count()).toBe(0)
    await page.getByRole('button', { name: 'Resume' }).click()
    await row(page, '/orders').waitFor()
    await page.getByText('live', { exact: true }).waitFor()
  })

  it('is used without a mouse', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    for (const number of [1, 2, 3]) {
      await shop.ask(`/products/P-${number}`)
      await row(page, `/products/P-${number}`).waitFor()
    }
    const focused = () => page.evaluate("document.activeElement.closest('li')?.innerText")
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toContain('P-3')
    await page.keyboard.press('j')
    expect(await focused()).toContain('P-2')
    await page.keyboard.press('Enter')
    await detail(page).getByRole('heading', { name: 'GET /products/P-2' }).waitFor()
    await page.keyboard.press('ArrowUp')
    expect(await focused()).toContain('P-3')
    await page.keyboard.press('Escape')
    await detail(page).getByText('Choose a request').waitFor()
    expect(await focused()).toContain('P-2')
    await page.keyboard.press('/')
    await page.keyboard.type('p')
    expect(await page.getByLabel('User', { exact: true }).inputValue()).toBe('p')
    await page.getByText('live', { exact: true }).waitFor()
  })

  it('comes back by itself when the server does, and begins anew', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    await shop.order()
    await row(page, '/orders').waitFor()
    shop.server.closeAllConnections()
    await page.getByText('disconnected, trying again').waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    expect(await page.locator('#list li').count()).toBe(1)
    await shop.order()
    await expect.poll(() => page.locator('#list li').count()).toBe(2)
  })
})

describe('for everybody', () => {
  it.each([
    ['light', WIDE],
    ['dark', WIDE],
    ['light', MIDDLE],
    ['light', NARROW],
    ['dark', NARROW],
  ] as const)(
    'has no serious accessibility fault and room for all of it: %s, %o',
    async (scheme, viewport) => {
      const shop = await openShop({ plan })
      const page = await openPage(shop.inspector, { colorScheme: scheme, viewport })
      expect(await seriousFaults(page)).toEqual([])
      await shop.ask('/products/P-1', visitorWith('a2', { analytics: false }))
      await shop.ask('/track/debug%20x,wrong,page%20view')
      await shop.order(`u-${'long'.repeat(20)}`)
      await row(page, '/orders').waitFor()
      await shop.tracking.flush()
      expect(await seriousFaults(page)).toEqual([])
      expect(await overflow(page)).toBe(0)
      for (const path of ['/orders', '/products/P-1', '/track']) {
        await row(page, path).click()
        await detail(page).getByRole('article').first().waitFor()
        await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        expect([path, await seriousFaults(page)]).toEqual([path, []])
        expect([path, await overflow(page)]).toEqual([path, 0])
        expect([path, await cramped(page)]).toEqual([path, []])
        if (viewport === NARROW) await page.getByRole('link', { name: '← All requests' }).click()
      }
    },
  )

  it('begins with the requests on a narrow screen', async () => {
    const shop = await openShop()
    const page = await openPage(shop.inspector, { viewport: NARROW })
    await shop.ask('/products/P-1', visitorWith('a1'))
    await row(page, '/products/P-1').waitFor()
    const box = await row(page, '/products/P-1').boundingBox()
    expect(box && box.y + box.height).toBeLessThan(NARROW.height / 2)
    expect(await page.getByText('Ledger').isVisible()).toBe(false)
    await page.getByText('Totals', { exact: true }).click()
    await page.getByText('Ledger').waitFor()
    await page.keyboard.press('/')
    expect(await page.getByLabel('User').isVisible()).toBe(true)
    await page.setViewportSize(WIDE)
    await page.getByText('Totals', { exact: true }).waitFor({ state: 'hidden' })
    await page.getByText('Ledger').waitFor()
  })

  it('is seen in the documentation as it is', async () => {
    mkdirSync(images, { recursive: true })
    const shop = await openShop()
    const page = await openPage(shop.inspector)
    const shot = async (name: string) => {
      await page.evaluate(SAME_EVERY_TIME)
      await page.mouse.move(0, 0)
      await page.screenshot({ path: `${images}inspector-${name}.png`, animations: 'disabled', caret: 'hide' })
    }
    const everything = { analytics: true, marketing: true }
    await shop.ask('/products/P-1', visitorWith('4f2c91d0', everything))
    await shop.ask('/style.css', visitorWith('4f2c91d0', everything))
    await shop.ask('/about', { ...visitorWith('b7d0a3e8'), 'x-user': 'grace' })
    await shop.ask('/newsletter', { ...visitorWith('b7d0a3e8'), 'x-user': 'grace' }, 'POST')
    await shop.ask('/products/P-3', visitorWith('9be1c2f7', { analytics: false, functional: true }))
    await shop.tracking.flush()
    await shop.ask('/orders', { ...visitorWith('4f2c91d0', everything), 'x-user': 'ada' }, 'POST')
    await shop.tracking.flush()
    await row(page, '/orders').click()
    await detail(page).locator('.event.delivered').waitFor()
    await shot('light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await row(page, '/products/P-3').click()
    await detail(page).getByText('Dropped: consent.').waitFor()
    await shot('dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize(NARROW)
    await shot('narrow')
  })
})
