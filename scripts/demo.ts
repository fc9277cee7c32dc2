import { type Shop, shops } from './demo/shops.js'
import { findRedis, HOW_TO_GET_REDIS } from './ensure-redis.js'
import { ensureInspectorPage } from './inspector-page.js'

const DEFAULT_PORT = 3000
const demos: typeof shops = {
  ...shops,
  worker: async () => (await import('./demo/worker-shop.js')).workerShop(),
}
const USAGE = `expected one of ${Object.keys(demos).join(', ')}, and --once or nothing`

const print = (line: string) => console.log(line)

const [name = '', ...options] = process.argv.slice(2)
// The demo is for this machine whatever the shell says, and the inspector refuses to be mounted in production.
if (process.env.NODE_ENV === 'production') delete process.env.NODE_ENV
// Before the modules that import the page are loaded.
await ensureInspectorPage()

const load = Object.hasOwn(demos, name) ? demos[name] : undefined
const unknown = load ? options.find((option) => option !== '--once') : name
if (!load || unknown !== undefined) fail(`The demo does not know ${JSON.stringify(unknown)}: ${USAGE}.`)
else if (name === 'worker' && !findRedis()) fail(HOW_TO_GET_REDIS)
else if (options.length > 0) await once(await load())
else await interactive(await load())

async function once(shop: Shop): Promise<void> {
  const { tryShop } = await import('./demo/once.js')
  if (!(await tryShop(shop, print))) process.exitCode = 1
}

async function interactive(shop: Shop): Promise<void> {
  const port = portFrom(process.env.PORT)
  if (port === undefined) return fail(`PORT is ${process.env.PORT}: expected a number from 0 to 65535.`)
  const { openShop } = await import('./demo/interactive.js')
  try {
    await openShop(shop, port, print)
  } catch (error) {
    if (!isPortTaken(error)) throw error
    fail(`Port ${port} is taken. Choose another one: PORT=${port + 1} npm run ${shop.script}`)
  }
}

function portFrom(given: string | undefined): number | undefined {
  const port = given ? Number(given) : DEFAULT_PORT
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
