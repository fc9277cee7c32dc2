import type { FastifyRequest } from 'fastify'
import { member } from '../request/identity/id.js'
import { type Framework, hostOf, nodeFramework, schemeOf } from '../request/message-request.js'

/** Reads from Fastify's request what Node does not know. */
export const fastify: Framework<FastifyRequest> = {
  user: (request) => member(request, 'user') ?? nodeFramework.user(request.raw),
  session: (request) => member(request, 'session') ?? nodeFramework.session(request.raw),
  state: () => undefined,
  route: (request) => request.routeOptions.url,
  // It is there with `trustProxy` only.
  trustsProxy: (request) => 'ips' in request,
  namesProxies: (request) => 'ips' in request,
  ip: (request) => request.ip,
  origin: (request) =>
    `${request.protocol ?? schemeOf(request.raw)}://${request.host || hostOf(request.raw)}`,
  originalUrl: (request) => request.originalUrl,
}

/**
 * Names a plugin of Fastify.
 *
 * @returns What Fastify reads of a plugin to name it in its errors and to check its own version.
 */
export function pluginMeta(name: string): object {
  return {
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { name, fastify: '5.x' },
  }
}
