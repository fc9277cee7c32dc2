import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { CollectOptions } from '../collect/index.js'
import { given } from '../support/given.js'
import type { Tracking } from '../tracker/tracking.js'
import { collectorsOf } from './collectors.js'
import { fastify, pluginMeta } from './fastify-request.js'
import type { TenantTracking } from './tenants.js'

/** What a collect endpoint of Fastify lets browsers do, and where it is. */
export interface FastifyCollectOptions extends CollectOptions {
  /** The result of `createTracking`, or a function that knows the tracking of each tenant. */
  readonly tracking: Tracking | TenantTracking<FastifyRequest>
  /** The path of the endpoint, such as `/collect`: Fastify's own option of every plugin. */
  readonly prefix: string
}

/** Fastify's own options of every plugin, and this one's beside those of every endpoint. */
const FURTHER = ['tracking', 'prefix', 'logLevel', 'logSerializers']

/**
 * A Fastify plugin that is an endpoint for what happens in browsers: events of walkerOS and calls of Segment's analytics.js,
 * taken as events of the request that brings them. The request's own readers say who it is and what they agreed to; a body is
 * believed neither. Events that browsers may not track are dropped with the reason `refused`.
 *
 * @throws TypeError, when the application starts, for options that cannot be meant so.
 *
 * @example
 * app.register(fastifyTracking, { tracking })
 * app.register(fastifyCollect, { prefix: '/collect', tracking, events: ['product view', 'page view'] })
 */
export const fastifyCollect: FastifyPluginAsync<FastifyCollectOptions> = async (app, options) => {
  const { tracking, prefix } = options
  const collectorOf = collectorsOf(tracking, 'fastifyCollect', options, FURTHER)
  if (typeof prefix !== 'string' || !/^\/./.test(prefix))
    throw new TypeError(
      `fastifyCollect: prefix is ${given(prefix)}: expected the endpoint's path, such as '/collect'`,
    )

  // The endpoint reads bodies itself, whatever parsers the application has.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  for (const path of ['', '/*']) {
    app.all(path, async (request, reply) => {
      const { inside, collector } = collectorOf(request)
      const { status, headers, body } = await collector.answer({
        message: request.raw,
        tracker: inside.attach(fastify, request, request.raw, reply.raw),
        path: pathBelow(request.params),
        parsed: undefined,
        // A hook may have put a stream of its own in its place.
        ...(request.body instanceof Readable && { payload: request.body }),
      })
      return reply.code(status).headers(headers).send(body)
    })
  }
}

Object.assign(fastifyCollect, pluginMeta('reqtrack-collect'))

function pathBelow(params: unknown): string {
  if (typeof params !== 'object' || params === null || !('*' in params)) return ''
  return String(params['*'])
}
