import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import Koa, { type DefaultState, HttpError, type Middleware } from 'koa'
import session from 'koa-session'
import type { Tracking } from 'reqtrack'
import { koaCollect, koaTracking } from 'reqtrack/koa'
import { CURRENCY, companies, customers, findById, products, quantityOf } from '../shop/catalogue.js'
import { cataloguePage, failurePage, productPage, type Visitor } from '../shop/pages.js'
import { readFields } from './body.js'

/** What koa-session keeps in its signed cookie. */
interface ShopSession {
  /** Names a visitor before they sign in, and stays with them when they do. */
  visitorId?: string
  userId?: string
  companyId?: string
}

interface ShopContext {
  /** `null` ends it. */
  session: ShopSession | null
}

/** A small shop. Its handlers say what happened; `tracking.ts` says what becomes of it. */
export function createApp(tracking: Tracking): Koa<DefaultState, ShopContext> {
  const app = new Koa<DefaultState, ShopContext>()
  app.keys = [process.env.SESSION_SECRET ?? randomUUID()]
  app.use(koaTracking(tracking))
  app.use(answerErrors)
  app.use(session({ key: 'shop', sameSite: 'lax' }, app))
  app.use(nameVisitor)
  // After the session, which says who the visitor is.
  app.use(koaCollect(tracking, { path: '/collect', events: ['product view'] }))
  const router = createRouter()
  app.use(router.routes()).use(router.allowedMethods())
  return app
}

function createRouter(): Router<DefaultState, ShopContext> {
  const router = new Router<DefaultState, ShopContext>()
  let orders = 1000

  router.get('/', (ctx) => {
    ctx.track('page view', { category: 'Shop', title: 'Catalogue' })
    ctx.body = cataloguePage(visitorOf(ctx.session))
  })

  router.get('/products/:id', (ctx) => {
    const product = findById(products, ctx.params.id) ?? ctx.throw(404, 'There is no such product.')
    ctx.body = productPage(product, visitorOf(ctx.session))
  })

  router.post('/login', async (ctx) => {
    const user = (await readFields(ctx)).get('user')
    const customer =
      findById(customers, user) ?? ctx.throw(401, 'Nobody here by that name: try ada or grace.')
    const { id, name, email } = customer
    ctx.session = { visitorId: ctx.session?.visitorId, userId: id }
    ctx.track('user login', { id, name, email })
    ctx.body = { message: `Welcome, ${name}.` }
  })

  router.post('/orders', async (ctx) => {
    const fields = await readFields(ctx)
    const product =
      findById(products, fields.get('product')) ??
      ctx.throw(404, `There is no such product: try ${products[0]?.id}.`)
    const quantity =
      quantityOf(fields.get('quantity')) ?? ctx.throw(400, 'The quantity is a number from 1 to 20.')
    const order = { id: `A-${++orders}`, total: product.price * quantity, currency: CURRENCY }
    const { id, name, price } = product
    ctx.track('order complete', order, {
      nested: [{ entity: 'product', data: { id, name, price, quantity } }],
    })
    ctx.status = 201
    ctx.body = { ...order, message: `Ordered: ${quantity} × ${name}, € ${order.total}.` }
  })

  router.post('/newsletter', requireCustomer, (ctx) => {
    ctx.tracker.identify({ newsletter: true })
    ctx.body = { message: 'You are on the list.' }
  })

  router.post('/company', requireCustomer, async (ctx) => {
    const fields = await readFields(ctx)
    const company =
      findById(companies, fields.get('company')) ??
      ctx.throw(404, 'There is no such company: try engines or compilers.')
    if (ctx.session) ctx.session.companyId = company.id
    ctx.tracker.group(company.id, { name: company.name, plan: company.plan })
    ctx.body = { message: `You now buy for ${company.name}.` }
  })

  router.post('/logout', requireCustomer, (ctx) => {
    // Tracked while the session still says who it is: what an event knows then stays with it.
    ctx.track('user logout')
    ctx.session = null
    ctx.body = { message: 'Good bye.' }
  })

  router.get('/stock', (ctx) => {
    // What was tracked goes out although the request fails; `dispatch: 'success'` would drop it.
    ctx.track('stock request')
    ctx.throw(503, 'The warehouse does not answer.', { expose: true })
  })

  return router
}

/** Answers what a handler threw for the visitor to know. Koa itself answers the rest, and logs it. */
const answerErrors: Middleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    if (!(error instanceof HttpError && error.expose)) throw error
    ctx.status = error.status
    ctx.body =
      ctx.accepts('json', 'html') === 'html'
        ? failurePage(error.message, visitorOf(ctx.session))
        : { error: error.message }
  }
}

const nameVisitor: Middleware<DefaultState, ShopContext> = (ctx, next) => {
  if (ctx.session) ctx.session.visitorId ??= randomUUID()
  return next()
}

const requireCustomer: Middleware<DefaultState, ShopContext> = (ctx, next) => {
  if (ctx.session?.userId === undefined) ctx.throw(401, 'Sign in first.')
  return next()
}

function visitorOf(session: ShopSession | null): Visitor {
  return {
    customer: findById(customers, session?.userId),
    company: findById(companies, session?.companyId),
  }
}
