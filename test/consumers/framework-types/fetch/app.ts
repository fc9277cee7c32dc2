import { createTracking } from 'reqtrack'
import { type FetchOptions, withTracking } from 'reqtrack/fetch'
import { GET as required } from './route.cjs'

const tracking = createTracking({ settings: { writeKey: 'KEY' } })

// Next.js: the second argument and the answer keep their types.
export const POST = withTracking(
  tracking,
  async (request: Request, { params }: { params: Promise<{ id: string }> }) => {
    const { id } = await params
    tracking.current()?.track('order complete', { total: 42, coupon: id })
    // @ts-expect-error: no such event
    tracking.current()?.track('order completed', { total: 42 })
    return Response.json({ url: request.url }, { status: 201 })
  },
  { route: '/orders/[id]', ip: (request) => request.headers.get('x-real-ip') ?? undefined },
)
const answer: Promise<Response> = POST(new Request('https://shop.example'), {
  params: Promise.resolve({ id: 'A-1' }),
})
// @ts-expect-error: an argument is missing
POST(new Request('https://shop.example'))
// @ts-expect-error: this is no request
POST('https://shop.example', { params: Promise.resolve({ id: 'A-1' }) })

// Remix, React Router, SvelteKit and Astro: an object that has the request; loaders give data.
export const loader = withTracking(
  tracking,
  async ({ request, params }: { request: Request; params: { id?: string } }) => ({
    id: params.id,
    at: request.url,
  }),
  { user: ({ params }) => params.id, session: () => null },
)
const loaded: Promise<{ id: string | undefined; at: string }> = loader({
  request: new Request('https://shop.example'),
  params: {},
})

// A host that freezes the process.
interface Execution {
  waitUntil(work: Promise<unknown>): void
}
export const worker = withTracking(
  tracking,
  (_request: Request, _env: object, _execution: Execution) => new Response(),
  { waitUntil: (work, _request, _env, execution) => execution.waitUntil(work) },
)

// A tracking for each tenant.
withTracking(
  (request: Request) => (request.headers.has('x-tenant') ? tracking : undefined),
  (request: Request) => new Response(request.url),
)
withTracking(
  // @ts-expect-error: at once, not as a promise
  async () => tracking,
  (request: Request) => new Response(request.url),
)
// @ts-expect-error: the handler is missing
withTracking(tracking)
// @ts-expect-error: it has to take a request
withTracking(tracking, (url: string) => new Response(url))
const options: FetchOptions<Request, []> = { end: 'body' }

export { answer, loaded, options, required }
