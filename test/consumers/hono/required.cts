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
  return c.json({ plan: c.var.plan }, 201)
})
/** Only compiled: a tracking for each tenant, a handler that keeps its own arguments and answer, and mistakes. */
export function compiled(): Promise<Response> {
  honoTracking((c) => (c.req.path === '/red' ? tracking : undefined))
  // @ts-expect-error: a tracking is missing
  honoTracking()

  const handler = withTracking(
    tracking,
    async (request: Request, { id }: { id: string }) => new Response(request.url + id),
    {
      ip: (_request, { id }) => id,
      end: 'body',
    },
  )
  const answer: Promise<Response> = handler(new Request('http://shop.example'), { id: 'A-1' })
  // @ts-expect-error: an argument is missing
  handler(new Request('http://shop.example'))
  app.get('/', (c) => {
    // @ts-expect-error: a name is a string
    c.var.track(42)
    return c.text('hello')
  })
  return answer
}

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT) })
tracking.shutdownOnSignals({ server })
