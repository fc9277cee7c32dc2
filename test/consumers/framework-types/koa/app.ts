import Router, { type RouterContext } from '@koa/router'
import Koa, { type Context, type DefaultState, type Middleware } from 'koa'
import { createTracking, type Track, type Tracker } from 'reqtrack'
import { koaTracking } from 'reqtrack/koa'
import { routes } from './routes.cjs'

const tracking = createTracking({
  settings: { writeKey: 'KEY' },
  request: { userId: ({ user }) => String(user) },
})
const app = new Koa()
app.use(koaTracking(tracking)).use(routes(tracking).routes())

app.use(async (ctx, next) => {
  ctx.track('order complete', { total: 42, coupon: 'SUMMER' })
  ctx.track('session start')
  ctx.track({ name: 'order complete', data: { total: 42 } })
  const { track }: { track: Track } = ctx
  track('session start', { method: 'passkey' })
  const tracker: Tracker = ctx.tracker
  tracker.identify({ plan: 'pro' })
  tracking.current()?.group('G-1')

  // @ts-expect-error: no such event
  ctx.track('order completed', { total: 42 })
  // @ts-expect-error: the data is missing
  ctx.track('order complete')
  // @ts-expect-error: a property is missing
  ctx.track('order complete', { coupon: 'SUMMER' })
  // @ts-expect-error: a property is of another type
  ctx.track('order complete', { total: '42' })
  // @ts-expect-error: not any
  ctx.track.nothing
  // @ts-expect-error: not any
  ctx.tracker.nothing
  await next()
})

function helper(ctx: Context): void {
  ctx.track('session start', { method: 'password' })
}
const middleware: Middleware = (ctx, next) => {
  helper(ctx)
  return next()
}
app.use(middleware)

// An application whose state and context have types of their own.
interface State {
  plan: 'free' | 'pro'
}
interface Extension {
  session: { userId?: string } | null
}
const typed = new Koa<State, Extension>()
typed.use(koaTracking(tracking))
typed.use((ctx) => {
  ctx.track('session start', { method: 'passkey' })
  // @ts-expect-error: no such event
  ctx.track('session started')
  ctx.body = `${ctx.state.plan} ${ctx.session?.userId}`
})

const router = new Router<DefaultState, Extension>()
router.use(koaTracking(tracking))
router.post('/orders/:id', (ctx) => {
  ctx.track('order complete', { total: 42 })
  // @ts-expect-error: no such event
  ctx.track('order completed', { total: 42 })
  ctx.body = `${ctx.params.id} ${ctx.session?.userId}`
})
export function inRoute(ctx: RouterContext): void {
  ctx.tracker.alias('u-0')
}
typed.use(router.routes()).use(router.allowedMethods())

// @ts-expect-error: a tracking is missing
koaTracking()
// @ts-expect-error: this is none
koaTracking({ settings: { writeKey: 'KEY' } })

// A tracking for each tenant.
koaTracking((ctx) => (ctx.hostname === 'shop.example' ? tracking : undefined))
koaTracking((ctx: Context) => (ctx.get('x-tenant') ? tracking : undefined))
// @ts-expect-error: at once, not as a promise
koaTracking(async () => tracking)
