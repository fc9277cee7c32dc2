import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse } from 'cookie'
import { createTracking } from '../../src/index.js'
import { everything } from '../request/in-process.js'
import { type ExpensiveCall, expensive, largest } from './expensive.js'

/** What the process can be asked: to begin to count, and what it has counted. */
export type Asked = 'begin' | 'count'

/** Where its servers listen. */
export interface Ports {
  /** Tracks an event, or makes the call that the path names. */
  readonly tracked: number
  /** The same without tracking. */
  readonly bare: number
  /** The same, and reads its address and its cookies, as applications do. */
  readonly reading: number
}

/** What has come since it began to count. */
export interface Spent {
  /** Microseconds of CPU, of all threads. */
  readonly us: number
  /** Bytes in the heap that nothing has collected yet. */
  readonly allocated: number
}

setFlagsFromString('--expose-gc')
const collect: (options: { type: 'minor' }) => void = runInNewContext('gc')

const tracking = createTracking({
  settings: {
    writeKey: 'test-key',
    host: process.env.SEGMENT ?? '',
    consent: { functional: 'F', analytics: 'A', marketing: 'M' },
  },
  consent: { analytics: true },
  include: ['user', 'source'],
  request: { ...everything, skip: [], pageViews: false },
  logger: { handler: () => {} },
})

const tracked: RequestListener = (req, res) => {
  const tracker = tracking.handle(req, res)
  tracker.user({ id: 'somebody' })
  const call = callOf(req)
  if (call) Reflect.apply(Reflect.get(tracker, call.method), tracker, call.given())
  else tracker.track('page read')
  res.end('ok')
}

/** What an application would compute is not left out. */
let computed = 0

const bare: RequestListener = (req, res) => {
  // What the value itself costs to make is the handler's.
  computed += callOf(req)?.given().length ?? 0
  res.end('ok')
}

const reading: RequestListener = (req, res) => {
  const { pathname, search } = new URL(`http://shop.example${req.url}`)
  computed += pathname.length + search.length + Object.keys(parse(req.headers.cookie ?? '')).length
  bare(req, res)
}

/** The call that a path names. */
function callOf({ url = '' }: IncomingMessage): ExpensiveCall | undefined {
  const named = /^\/expensive\/(\d+)$/.exec(url)?.[1]
  return named === undefined ? undefined : (expensive[Number(named)] ?? largest)
}

function listen(listener: RequestListener): Promise<number> {
  const server = createServer({ maxHeaderSize: 32 * 1024 }, listener)
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object' && address) resolve(address.port)
      else reject(new Error('the server has no port'))
    })
  })
}

function meters(): { readonly us: number; readonly bytes: number } {
  const { user, system } = process.cpuUsage()
  return { us: user + system, bytes: process.memoryUsage().heapUsed }
}

let begun = meters()

process.on('message', async (asked: Asked) => {
  await tracking.flush()
  if (asked === 'begin') {
    collect({ type: 'minor' })
    begun = meters()
    process.send?.('begun')
    return
  }
  const { us, bytes } = meters()
  const spent: Spent = { us: us - begun.us, allocated: bytes - begun.bytes }
  process.send?.(spent)
})
process.once('disconnect', () => process.exit(computed < 0 ? 1 : 0))

const ports: Ports = {
  tracked: await listen(tracked),
  bare: await listen(bare),
  reading: await listen(reading),
}
process.send?.(ports)
