// What the blocks of the documentation use and no block declares: an application as most pages speak of.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Request } from 'express'
import { createTracking } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'

export type { Mapping, WalkerOS } from '@walkeros/core'
export {
  consentOf,
  consumer,
  cookieOf,
  customersToRemind,
  Gauge,
  metrics,
  nextApp,
  producer,
  sendInvoice,
  sessionOf,
} from './yours.js'

export const writeKey = process.env.SEGMENT_WRITE_KEY ?? ''
export const settings = { writeKey }
export const tracking = createTracking({ settings })
export const analytics = tracking.segment

export const app = express()
app.use(expressTracking(tracking))
export const server = app.listen(0)

/** A request whose response has gone out: what is tracked with it is tracked. */
export const req = await requested()

async function requested(): Promise<Request> {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const handled = new Promise<Request>((resolve) => {
    app.get('/stand-in', (request, response) => {
      response.on('close', () => resolve(request))
      response.end()
    })
  })
  await fetch(`http://localhost:${port}/stand-in`)
  return handled
}
