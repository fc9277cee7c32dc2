import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express from 'express'
import Koa from 'koa'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { createTracking, type TrackedRequest } from '../../src/index.js'
import { isRecord } from '../../src/model/values.js'
import { type Item, revived } from './item.js'

/** What the tracking of this program reads requests with: it only keeps what readers are given. */
let presented: TrackedRequest | undefined

const tracking = createTracking({
  settings: { writeKey: 'none' },
  disabled: true,
  request: {
    userId: (request) => {
      presented = request
      return undefined
    },
  },
})

/**
 * Has Express, or Koa where the item is one of Koa's, take an item's request, and returns it as readers see it. The
 * message is a real one, but for its connection: that says what the item says of it.
 */
export function presentRequest(item: Item): TrackedRequest {
  const message = messageOf(item)
  const response = new ServerResponse(message)
  presented = undefined
  if (item.auth.koa === undefined) takeByExpress(item, message, response)
  else takeByKoa(item, message, response)
  if (!presented) throw new Error(`${item.id}: the framework did not hand the request on`)
  return presented
}

function takeByExpress({ auth }: Item, message: IncomingMessage, response: ServerResponse): void {
  const app = express()
  if (auth.expressTrustProxy !== undefined) app.set('trust proxy', auth.expressTrustProxy)
  app.use((req, _res, next) => {
    leave(req, auth.express)
    next()
  })
  app.use(expressTracking(tracking))
  app.use((req) => void req.tracker.identity)
  app(message, response)
}

function takeByKoa({ auth }: Item, message: IncomingMessage, response: ServerResponse): void {
  const app = new Koa()
  app.use((ctx, next) => {
    leave(ctx, auth.koa)
    return next()
  })
  app.use(koaTracking(tracking))
  app.use((ctx) => {
    void ctx.tracker.identity
    // There is nobody to answer.
    ctx.respond = false
  })
  void app.callback()(message, response)
}

/** Puts properties on a framework's object; members of objects that it has already, such as `ctx.state`, one by one. */
function leave(owner: object, properties: unknown): void {
  if (!isRecord(properties)) return
  for (const [key, value] of Object.entries(properties)) {
    const there: unknown = Reflect.get(owner, key)
    if (typeof there === 'object' && there !== null && isRecord(value)) leave(there, value)
    else {
      Object.defineProperty(owner, key, {
        value: revived(value),
        configurable: true,
        enumerable: true,
        writable: true,
      })
    }
  }
}

function messageOf({ auth, headers }: Item): IncomingMessage {
  const url = typeof auth.url === 'string' ? new URL(auth.url) : undefined
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: auth.socket })
  if (url?.protocol === 'https:') Object.defineProperty(socket, 'encrypted', { value: true })
  const message = new IncomingMessage(socket)
  message.method = 'GET'
  message.url = url ? `${url.pathname}${url.search}` : '/'
  message.headers = { ...(url && { host: url.host }), ...headers }
  return message
}
