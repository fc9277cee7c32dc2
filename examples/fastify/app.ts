import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import session from '@fastify/session'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Tracking } from 'reqtrack'
import { fastifyCollect, fastifyTracking } from 'reqtrack/fastify'
import { CURRENCY, companies, customers, findById, products, quantityOf } from '../shop/catalogue.js'
import { cataloguePage, failurePage, productPage, type Visitor } from '../shop/pages.js'

declare module 'fastify' {
  interface Session {
    /** Names a visitor before they sign in, and stays with them when they do. */
    visitorId?: string
    userId?: string
    companyId?: string
  }
}

/** The fields that the shop's forms have. */
interface Fields {
  readonly user?: unknown
  readonly product?: unknown
  readonly quantity?: unknown
  readonly company?: unknown
}

/** A small shop. Its handlers say what happened; `../shop/tracking.ts` says what becomes of it. */
export function createApp(tracking: Tracking): FastifyInstance {
  const app = fastify()
  app.register(fastifyTracking, { tracking })
  app.register(cookie)
  app.register(session, {
    secret: process.env.SESSION_SECRET ?? randomUUID(),
    saveUninitialized: false,
    cookie: { secure: false, sameSite: 'lax' },
  })
  app.register(formbody)
  app.addHook('onRequest', async (request) => {
    request.session.visitorId ??= randomUUID()
  })
  // After the session, which says who the visitor is.
  app.register(fastifyCollect, { prefix: '/collect', tracking, events: ['product view'] })
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof ShopError)) throw error
    reply.code(error.statusCode)
    if (!request.headers.accept?.includes('text/html')) return reply.send({ error: error.message })
    return reply.type('text/html').send(failurePage(error.message, visitorOf(request)))
  })
  app.register(shop)
  return app
}

async function shop(app: FastifyInstance): Promise<void> {
  let orders = 1000

  app.get('/', async (request, reply) => {
    request.track('page view', { category: 'Shop', title: 'Catalogue' })
    return reply.type('text/html').send(cataloguePage(visitorOf(request)))
  })

  app.get<{ Params: { id: string } }>('/products/:id', async (request, reply) => {
    const product = findById(products, request.params.id)
    if (!product) throw new ShopError(404, 'There is no such product.')
    return reply.type('text/html').send(productPage(product, visitorOf(request)))
  })

  app.post<{ Body?: Fields }>('/login', async (request) => {
    const customer = findById(customers, request.body?.user)
    if (!customer) throw new ShopError(401, 'Nobody here by that name: try ada or grace.')
    // A new session whenever somebody signs in or out, so that a session id known from before is worth nothing.
    await request.session.regenerate(['visitorId'])
    request.session.userId = customer.id
    const { id, name, email } = customer
    request.track('user login', { id, name, email })
    return { message: `Welcome, ${name}.` }
  })

  app.post<{ Body?: Fields }>('/orders', async (request, reply) => {
    const product = findById(products, request.body?.product)
    if (!product) throw new ShopError(404, `There is no such product: try ${products[0]?.id}.`)
    const quantity = quantityOf(request.body?.quantity)
    if (quantity === undefined) throw new ShopError(400, 'The quantity is a number from 1 to 20.')
    const order = { id: `A-${++orders}`, total: product.price * quantity, currency: CURRENCY }
    const { id, name, price } = product
    request.track('order complete', order, {
      nested: [{ entity: 'product', data: { id, name, price, quantity } }],
    })
    reply.code(201)
    return { ...order, message: `Ordered: ${quantity} × ${name}, € ${order.total}.` }
  })

  app.post('/newsletter', { preHandler: requireCustomer }, async (request) => {
    request.tracker.identify({ newsletter: true })
    return { message: 'You are on the list.' }
  })

  app.post<{ Body?: Fields }>('/company', { preHandler: requireCustomer }, async (request) => {
    const company = findById(companies, request.body?.company)
    if (!company) throw new ShopError(404, 'There is no such company: try engines or compilers.')
    request.session.companyId = company.id
    request.tracker.group(company.id, { name: company.name, plan: company.plan })
    return { message: `You now buy for ${company.name}.` }
  })

  app.post('/logout', { preHandler: requireCustomer }, async (request) => {
    // Tracked while the session still says who it is: what an event knows then stays with it.
    request.track('user logout')
    await request.session.regenerate()
    return { message: 'Good bye.' }
  })

  app.get('/stock', async (request) => {
    // What was tracked goes out although the request fails; `dispatch: 'success'` would drop it.
    request.track('stock request')
    throw new ShopError(503, 'The warehouse does not answer.')
  })
}

/** A failure that is the visitor's to know. */
class ShopError extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message)
  }
}

async function requireCustomer({ session }: FastifyRequest): Promise<void> {
  if (session.userId === undefined) throw new ShopError(401, 'Sign in first.')
}

function visitorOf({ session }: FastifyRequest): Visitor {
  return {
    customer: findById(customers, session.userId),
    company: findById(companies, session.companyId),
  }
}
