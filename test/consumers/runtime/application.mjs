// A small shop on node:http, Express or Koa, as the runtime runs it: application.mjs http|express|koa.
// UNTRACKED=1 leaves the middleware out, OUTBOX names the directory of a file outbox.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { createTracking, header } from 'reqtrack'

const { UNTRACKED, OUTBOX, SEGMENT_HOST } = process.env
const fileOutbox = OUTBOX && (await import('reqtrack/outbox-file')).fileOutbox

const tracking = createTracking({
  settings: {
    writeKey: 'runtime',
    host: SEGMENT_HOST,
    flushInterval: 20,
    // A busy machine takes long, and what was sent twice would arrive twice.
    httpRequestTimeout: 60_000,
    consent: { marketing: 'Advertising', analytics: 'Analytics' },
  },
  consent: { analytics: true },
  logger: { handler: () => {} },
  request: {
    userId: header('x-user'),
    anonymousId: header('x-visitor'),
    consent: ({ headers }) => (headers['x-consent'] ? JSON.parse(headers['x-consent']) : undefined),
  },
  ...(fileOutbox && { delivery: { outbox: fileOutbox({ directory: OUTBOX }) } }),
})

/** What the shop does, whatever it stands on; `current` gives the tracker after what was awaited. */
async function answer(url, tracker, current = () => tracking.current()) {
  if (url === '/stats') return { status: 200, body: tracking.stats() }
  if (url === '/slow') {
    tracker?.track('report read')
    process.stdout.write('slow\n')
    await wait(1_500)
    return { status: 200, body: { done: true } }
  }
  for (let step = 0; step < 3; step++) {
    await turn()
    current()?.track('order complete', { url, step })
  }
  const circular = { big: 1n }
  circular.self = circular
  tracker?.track('order complete', circular)
  tracker?.track('')
  return { status: 201, body: { ok: true } }
}

const applications = {
  http: async () => (req, res) => {
    const tracker = UNTRACKED ? undefined : tracking.handle(req, res)
    answer(req.url, tracker, () => tracker).then(({ status, body }) => {
      res.statusCode = status
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(body))
    })
  },
  express: async () => {
    const [{ default: express }, { expressTracking }] = await Promise.all([
      import('express'),
      import('reqtrack/express'),
    ])
    const app = express()
    if (!UNTRACKED) app.use(expressTracking(tracking))
    app.use(async (req, res) => {
      const { status, body } = await answer(req.url, req.tracker)
      res.status(status).json(body)
    })
    return app
  },
  koa: async () => {
    const [{ default: Koa }, { koaTracking }] = await Promise.all([import('koa'), import('reqtrack/koa')])
    const app = new Koa()
    if (!UNTRACKED) app.use(koaTracking(tracking))
    app.use(async (ctx) => {
      const { status, body } = await answer(ctx.url, ctx.tracker)
      ctx.status = status
      ctx.body = body
    })
    return app.callback()
  },
}

const server = createServer(await applications[process.argv[2]]()).listen(0, '127.0.0.1')
await once(server, 'listening')
tracking.shutdownOnSignals({ server, timeout: 30_000 })
process.stdout.write(`listening ${server.address().port}\n`)
