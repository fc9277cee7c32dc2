import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createTracking } from 'reqtrack'
import { withTracking } from 'reqtrack/fetch'
import { honoTracking } from 'reqtrack/hono'

const tracking = createTracking({
  settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '', host: process.env.SEGMENT_HOST ?? '' },
  mapping: { order: { complete: { name: 'Order Completed' } } },
})

const app = new Hono<{ Variables: { plan: 'free' | 'pro' } }>()
app.use(honoTracking(tracking, { trustProxy: 'loopback' }))
app.post('/orders', (c) => {
  c.var.track('order complete', { id: 'A-1', total: 42 })
  c.get('tracker').identify('u-1')
  // @ts-expect-error: a name is a string
  c.var.track(42)
  return c.json({ plan: c.var.plan }, 201)
})
honoTracking((c) => (c.req.path === '/red' ? tracking : undefined))
// @ts-expect-error: a tracking is missing
honoTracking()

// A handler keeps its own arguments and answer.
const handler = withTracking(
  tracking,
  async (request: Request, { id }: { id: string }) => new Response(request.url + id),
  {
    ip: (_request, { id }) => id,
    end: 'body',
  },
)
export const answer: Promise<Response> = handler(new Request('http://shop.example'), { id: 'A-1' })
// @ts-expect-error: an argument is missing
handler(new Request('http://shop.example'))

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT) })
tracking.shutdownOnSignals({ server })
