// A small shop of web-standard requests, as Bun, Deno and Node run it: application.mjs fetch|hono.
// UNTRACKED=1 leaves the middleware out, END=body has requests end with the bodies of their responses.
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { createTracking, header, segmentCookie } from 'reqtrack'

const { UNTRACKED, END: end, SEGMENT_HOST } = process.env
const [kind] = process.argv.slice(2)
const host = globalThis.Bun ? 'bun' : globalThis.Deno ? 'deno' : 'node'
const broken = () => {
  throw new Error('broken')
}

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
    userId: [broken, header('x-user')],
    anonymousId: [
      header('x-visitor'),
      segmentCookie({ create: { consent: 'analytics', domain: 'shop.example' } }),
    ],
    consent: ({ headers }) => (headers['x-consent'] ? JSON.parse(headers['x-consent']) : undefined),
  },
  globals: broken,
  dispatch: ({ status, aborted }) => {
    process.stdout.write(`end ${status} ${aborted}\n`)
    return true
  },
})

/** What the shop does, whatever it stands on. */
async function answer(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/stats') return Response.json(tracking.stats())
  if (pathname === '/slow') {
    tracking.current()?.track('report read')
    process.stdout.write('slow\n')
    await wait(1_500)
    return Response.json({ done: true })
  }
  if (pathname === '/thrown') {
    tracking.current()?.track('order refuse')
    throw new Response('no', { status: 403 })
  }
  if (pathname === '/stream') {
    tracking.current()?.track('export read')
    return new Response(streamOf(['one ', 'two ', 'three']), { headers: { 'x-pieces': '3' } })
  }
  if (pathname === '/endless') {
    tracking.current()?.track('export read')
    return new Response(streamOf(Array(1e6).fill('more ')))
  }
  const body = await request.text()
  for (let step = 0; step < 3; step++) {
    await turn()
    tracking.current()?.track('order complete', { pathname, step, body })
  }
  const circular = { big: 1n }
  circular.self = circular
  tracking.current()?.track('order complete', circular)
  tracking.current()?.track('')
  return Response.json({ ok: true }, { status: 201, headers: { 'x-shop': 'yes' } })
}

function streamOf(pieces) {
  const encoder = new TextEncoder()
  let at = 0
  return new ReadableStream({
    async pull(controller) {
      await turn()
      if (at < pieces.length) controller.enqueue(encoder.encode(pieces[at++]))
      else controller.close()
    },
  })
}

/** Bun and Deno take a thrown Response for any other error. */
async function answerThrown(work) {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Response) return error
    throw error
  }
}

const handlers = {
  fetch: async () => {
    const { withTracking } = await import('reqtrack/fetch')
    // Bun and Deno tell the address beside the request.
    const ip = host === 'node' ? (_request, { incoming }) => incoming.socket.remoteAddress : undefined
    const handler = UNTRACKED ? answer : withTracking(tracking, answer, { ip, end })
    return (request, host) => answerThrown(() => handler(request, host))
  },
  hono: async () => {
    const [{ Hono }, { honoTracking }] = await Promise.all([import('hono'), import('reqtrack/hono')])
    const app = new Hono()
    if (!UNTRACKED) app.use(honoTracking(tracking, { end }))
    app.all('*', (c) => answerThrown(() => answer(c.req.raw)))
    return (request, host) => app.fetch(request, host)
  },
}

const hosts = {
  bun(fetch) {
    const server = globalThis.Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
    onSigterm(() => server.stop())
    return server.port
  },
  deno(fetch) {
    const server = globalThis.Deno.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, fetch)
    onSigterm(() => server.shutdown())
    return server.addr.port
  },
  async node(fetch) {
    const { serve } = await import('@hono/node-server')
    return new Promise((resolve) => {
      const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
      tracking.shutdownOnSignals({ server, timeout: 30_000 })
    })
  },
}

/** What the documentation says: stop the server, and then shut the tracking down. */
function onSigterm(stop) {
  process.on('SIGTERM', async () => {
    await stop()
    const { timedOut } = await tracking.shutdown({ timeout: 30_000 })
    process.exit(timedOut ? 1 : 0)
  })
}

process.stdout.write(`listening ${await hosts[host](await handlers[kind]())}\n`)
