import express, { type Express } from 'express'
import { expressTracking } from '../../src/frameworks/express.js'
import { consentCookie, globalPrivacyControl, type Tracking, type TrackingConfig } from '../../src/index.js'
import { type InspectorOptions, inspector } from '../../src/inspector/index.js'

/** A small shop whose requests go all the ways that an inspector shows. */
export const shopConfig = {
  logger: { handler: () => {} },
  settings: {
    identify: { map: { traits: { map: { plan: 'user.plan' } } } },
    consent: { analytics: 'Analytics', marketing: 'Advertising' },
  },
  consent: { analytics: true, marketing: true },
  mapping: {
    order: { complete: { name: 'Order Completed' } },
    product: { view: { name: 'Product Viewed' } },
    debug: { '*': { ignore: true } },
    pixel: { load: { sample: 0 } },
    offer: { show: { consent: { marketing: true } } },
  },
  beforeSend: (call, { name }) => (name === 'secret tell' ? null : call),
  request: {
    consent: [consentCookie('consent'), globalPrivacyControl()],
    user: () => ({ plan: 'free' }),
  },
} satisfies Omit<TrackingConfig, 'settings'> & { settings: Partial<TrackingConfig['settings']> }

export function createShop(tracking: Tracking, options?: InspectorOptions): Express {
  const app = express()
  // Also its own requests are tracked here, and not shown.
  app.use(expressTracking(tracking))
  app.use('/__reqtrack', inspector(tracking, options))
  app.use((req, _res, next) => {
    const id = req.headers['x-user']
    if (id) Object.assign(req, { user: { id } })
    next()
  })
  app.get('/style.css', (_req, res) => void res.send(''))
  app.get('/about', (req, res) => {
    req.track('page view', { title: 'About us' })
    res.send('ok')
  })
  app.get('/products/:id', (req, res) => {
    req.track('product view', { id: req.params.id, name: 'Analytical engine', price: 21 })
    res.send('ok')
  })
  app.post('/orders', (req, res) => {
    req.track('order complete', { id: 'A-1', total: 42, items: ['P-1', 'P-2'] })
    res.status(201).json({ ok: true })
  })
  app.get('/track/:names', (req, res) => {
    for (const name of req.params.names.split(',')) req.track(name)
    if (req.query.discard) req.tracker.discard()
    res.send('ok')
  })
  app.post('/payments', (req, res) => {
    req.track('payment receive', { total: 42 }, { key: 'evt_1' })
    res.send('ok')
  })
  app.post('/newsletter', (req, res) => {
    req.tracker.identify({ newsletter: true })
    res.send('ok')
  })
  app.get('/export', (req, res) => {
    res.send('ok')
    res.once('close', () => setImmediate(() => req.track('export finish')))
  })
  return app
}

/** The cookies of a visitor. */
export function visitorWith(
  anonymousId: string,
  consent: Readonly<Record<string, boolean>> = { analytics: true, marketing: false },
): Record<string, string> {
  const choice = encodeURIComponent(JSON.stringify(consent))
  return { cookie: `ajs_anonymous_id=${anonymousId}; consent=${choice}` }
}
