import { PassThrough } from 'node:stream'
import { createGunzip, gzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { fastifyCollect, fastifyTracking } from '../../src/frameworks/fastify.js'
import { recordTracking } from '../../src/testing/index.js'
import { visitor } from '../support/servers.js'

const event = { name: 'product view', data: { id: 'P-1' } }

/** Posts as a page of the same origin does. */
function post(app: FastifyInstance, url: string, payload: object | Buffer = event, headers = {}) {
  const own = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...visitor('a-1') }
  return app.inject({ method: 'POST', url, payload, headers: { ...own, ...headers } })
}

describe('fastifyCollect()', () => {
  it.each([
    { given: { events: 'any' }, message: /^fastifyCollect: prefix is missing: .* such as '\/collect'$/ },
    { given: { events: 'any', prefix: '/' }, message: /^fastifyCollect: prefix is/ },
    { given: { prefix: '/collect' }, message: /^fastifyCollect: events is missing/ },
    {
      given: { prefix: '/collect', events: 'any', orgin: 'https://shop.example' },
      message: /unknown option orgin, did you mean origin\?/,
    },
    { given: { prefix: '/collect', events: 'any', tracking: {} }, message: /^fastifyCollect\(\) was given/ },
  ])('refuses $given when the application starts', async ({ given, message }) => {
    const app = fastify()
    const options: object = { tracking: recordTracking(), ...given }
    app.register(fastifyCollect, options as never)
    await expect(app.ready()).rejects.toThrow(message)
  })

  it('is an endpoint of its own, below the prefixes of the parts that it is in', async () => {
    const recorded = recordTracking()
    const app = fastify({ routerOptions: { ignoreDuplicateSlashes: true } })
    app.register(fastifyTracking, { tracking: recorded })
    app.register(
      async (shop) => {
        shop.register(fastifyCollect, { prefix: '/collect', tracking: recorded, events: ['product view'] })
        shop.post('/orders', async (request) => request.body)
      },
      { prefix: '/shop' },
    )
    for (const path of ['', '/', '/t', '//v1/t', '?a=b']) {
      const call = { event: 'product view', type: 'track' }
      const { statusCode, body } = await post(app, `/shop/collect${path}`, path.endsWith('/t') ? call : event)
      expect({ path, statusCode, body }).toMatchObject({ path, statusCode: 200, body: '{"success":true}' })
    }
    expect((await post(app, '/shop/collect/nowhere')).statusCode).toBe(404)
    expect((await post(app, '/shop/collected')).json()).toMatchObject({ statusCode: 404 })
    // The parsers of the application stay as they are.
    expect((await post(app, '/shop/orders')).json()).toEqual(event)
    await recorded.settled()
    expect(recorded.calls).toHaveLength(5)
    await app.close()
  })

  it('knows who a hook before it has found out', async () => {
    const recorded = recordTracking({
      settings: { writeKey: 'k' },
      request: { userId: (r) => Object(r.user).id },
    })
    const app = fastify()
    app.register(fastifyTracking, { tracking: recorded })
    app.decorateRequest('user')
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { user: { id: 'u-1' } })
    })
    app.register(fastifyCollect, { prefix: '/collect', tracking: recorded, events: 'any' })
    expect((await post(app, '/collect')).statusCode).toBe(200)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'product view', userId: 'u-1', anonymousId: 'a-1' }])
    await app.close()
  })

  it.each([
    { what: 'a stream that counts', hook: () => new PassThrough(), sent: event, status: 200 },
    { what: 'one that decompresses', hook: createGunzip, sent: gzipSync(JSON.stringify(event)), status: 200 },
    {
      what: 'one that makes much of little',
      hook: createGunzip,
      sent: gzipSync('x'.repeat(5_000_000)),
      status: 413,
    },
    { what: 'one that fails', hook: createGunzip, sent: Buffer.from('nonsense'), status: 400 },
  ])('reads the body from what a hook has put in its place: $what', async ({ hook, sent, status }) => {
    const recorded = recordTracking()
    const app = fastify()
    app.register(fastifyTracking, { tracking: recorded })
    app.addHook('preParsing', async (_request, _reply, payload) => payload.pipe(hook()))
    app.register(fastifyCollect, { prefix: '/collect', tracking: recorded, events: 'any' })
    expect((await post(app, '/collect', sent)).statusCode).toBe(status)
    await recorded.settled()
    expect(recorded.calls).toHaveLength(status === 200 ? 1 : 0)
    await app.close()
  })

  it('takes the events of each tenant for their own source', async () => {
    const shops = { one: recordTracking(), two: recordTracking() }
    const app = fastify()
    app.register(fastifyCollect, {
      prefix: '/:shop/collect',
      tracking: ({ params }) => shops[Object(params).shop as keyof typeof shops],
      events: 'any',
    })
    await post(app, '/one/collect', { name: 'product view', data: { id: 'one' } })
    await post(app, '/two/collect', { name: 'product view', data: { id: 'two' } })
    expect((await post(app, '/three/collect')).statusCode).toBe(200)
    for (const [id, recorded] of Object.entries(shops)) {
      await recorded.settled()
      expect(recorded.calls).toMatchObject([{ properties: { id } }])
    }
    await app.close()
  })
})
