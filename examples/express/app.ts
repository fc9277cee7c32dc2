import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import session from 'express-session'
import type { Carried, Tracking } from 'reqtrack'
import { expressCollect, expressTracking } from 'reqtrack/express'
import { CURRENCY, companies, customers, findById, products, quantityOf } from '../shop/catalogue.js'
import { cataloguePage, failurePage, productPage, type Visitor } from '../shop/pages.js'

declare module 'express-session' {
  interface SessionData {
    /** Names a visitor before they sign in, and stays with them when they do. */
    visitorId: string
    userId: string
    companyId: string
  }
}

/** What a customer has ordered. */
export interface Order {
  readonly id: string
  readonly total: number
  readonly currency: string
}

/** Has an invoice sent, elsewhere and later: see `examples/worker`. */
export type RequestInvoice = (order: Order, visitor: Carried) => Promise<unknown>

/** A small shop. Its handlers say what happened; `tracking.ts` says what becomes of it. */
export function createApp(tracking: Tracking, requestInvoice?: RequestInvoice): Express {
  const app = express()
  let orders = 1000

  app.use(expressTracking(tracking))
  app.use(
    session({
      secret: process.env.SESSION_SECRET ?? randomUUID(),
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite: 'lax' },
    }),
  )
  app.use(nameVisitor)
  // After the session, which says who the visitor is.
  app.use('/collect', expressCollect(tracking, { events: ['product view'] }))
  app.use(express.json(), express.urlencoded({ extended: false }))

  app.get('/', (req, res) => {
    req.track('page view', { category: 'Shop', title: 'Catalogue' })
    res.send(cataloguePage(visitorOf(req)))
  })

  app.get('/products/:id', (req, res) => {
    const product = findById(products, req.params.id)
    if (!product) throw new ShopError(404, 'There is no such product.')
    res.send(productPage(product, visitorOf(req)))
  })

  app.post('/login', async (req, res) => {
    const customer = findById(customers, req.body?.user)
    if (!customer) throw new ShopError(401, 'Nobody here by that name: try ada or grace.')
    const { visitorId } = req.session
    await renewSession(req)
    req.session.visitorId = visitorId
    req.session.userId = customer.id
    const { id, name, email } = customer
    req.track('user login', { id, name, email })
    res.json({ message: `Welcome, ${name}.` })
  })

  app.post('/orders', async (req, res) => {
    const product = findById(products, req.body?.product)
    if (!product) throw new ShopError(404, `There is no such product: try ${products[0]?.id}.`)
    const quantity = quantityOf(req.body?.quantity)
    if (quantity === undefined) throw new ShopError(400, 'The quantity is a number from 1 to 20.')
    const order: Order = { id: `A-${++orders}`, total: product.price * quantity, currency: CURRENCY }
    const { id, name, price } = product
    req.track('order complete', order, {
      nested: [{ entity: 'product', data: { id, name, price, quantity } }],
    })
    await requestInvoice?.(order, req.tracker.carry())
    res.status(201).json({ ...order, message: `Ordered: ${quantity} × ${name}, € ${order.total}.` })
  })

  app.post('/newsletter', requireCustomer, (req, res) => {
    req.tracker.identify({ newsletter: true })
    res.json({ message: 'You are on the list.' })
  })

  app.post('/company', requireCustomer, (req, res) => {
    const company = findById(companies, req.body?.company)
    if (!company) throw new ShopError(404, 'There is no such company: try engines or compilers.')
    req.session.companyId = company.id
    req.tracker.group(company.id, { name: company.name, plan: company.plan })
    res.json({ message: `You now buy for ${company.name}.` })
  })

  app.post('/logout', requireCustomer, async (req, res) => {
    // Tracked while the session still says who it is: what an event knows then stays with it.
    req.track('user logout')
    await renewSession(req)
    res.json({ message: 'Good bye.' })
  })

  app.get('/stock', (req) => {
    // What was tracked goes out although the request fails; `dispatch: 'success'` would drop it.
    req.track('stock request')
    throw new ShopError(503, 'The warehouse does not answer.')
  })

  app.use(answerErrors)
  return app
}

/** A failure that is the visitor's to know. */
class ShopError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

const answerErrors: ErrorRequestHandler = (error, req, res, next) => {
  if (!(error instanceof ShopError)) return next(error)
  res.status(error.status)
  if (req.accepts(['json', 'html']) === 'html') res.send(failurePage(error.message, visitorOf(req)))
  else res.json({ error: error.message })
}

const nameVisitor: RequestHandler = (req, _res, next) => {
  req.session.visitorId ??= randomUUID()
  next()
}

const requireCustomer: RequestHandler = (req, _res, next) => {
  next(req.session.userId === undefined ? new ShopError(401, 'Sign in first.') : undefined)
}

function visitorOf({ session }: Request): Visitor {
  return {
    customer: findById(customers, session.userId),
    company: findById(companies, session.companyId),
  }
}

/** A new session whenever somebody signs in or out, so that a session id known from before is worth nothing. */
function renewSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error) => (error ? reject(error) : resolve()))
  })
}
