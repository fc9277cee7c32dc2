import { execFileSync, spawnSync } from 'node:child_process'
import { root } from './bundle.js'
import { ratioOf, type Spread, spreadOf } from './statistics.js'

const REQTRACK = {
  import:
    "const { createTracking } = await import('reqtrack'); const { expressTracking } = await import('reqtrack/express')",
  require:
    "const { createTracking } = require('reqtrack'); const { expressTracking } = require('reqtrack/express')",
  use: "const tracking = createTracking({ settings: { writeKey: 'start' } }); expressTracking(tracking)",
}

/** What starts in a process of its own, first line to last. */
const STARTS = {
  bare: { import: '', require: '', use: '' },
  client: {
    import: "const { Analytics } = await import('@segment/analytics-node')",
    require: "const { Analytics } = require('@segment/analytics-node')",
    use: "new Analytics({ writeKey: 'start' })",
  },
  reqtrack: REQTRACK,
  atOnce: { ...REQTRACK, use: `${REQTRACK.use}\ntracking.segment` },
}

type Way = 'import' | 'require'
type Start = keyof typeof STARTS

/** What a start takes beyond that of Node itself, in milliseconds. */
interface Cost {
  readonly cpu: Spread
  readonly wall: Spread
}

/** One way to start: what the Segment client takes, what reqtrack, and what reqtrack with its client at once. */
export interface StartResult {
  readonly way: Way
  readonly bare: Cost
  readonly client: Cost
  readonly reqtrack: Cost
  readonly atOnce: Cost
  readonly ratio: { readonly cpu: Spread; readonly wall: Spread }
  readonly ratioAtOnce: { readonly cpu: Spread; readonly wall: Spread }
}

/**
 * Starts cold processes, one after the other in turns: with nothing, with the Segment client and its constructor, with
 * the package as it is published and `createTracking`, and with its client, too.
 *
 * @param node - The Node to start.
 * @param rounds - How often each is started.
 */
export function runStarts(node: string, rounds: number): StartResult[] {
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('the package could not be built')
  return (['import', 'require'] as const).map((way) => {
    const measured: Record<Start, { cpu: number; wall: number }[]> = {
      bare: [],
      client: [],
      reqtrack: [],
      atOnce: [],
    }
    for (let round = 0; round < rounds; round++) {
      const bare = started(node, way, 'bare')
      measured.bare.push(bare)
      for (const start of ['client', 'reqtrack', 'atOnce'] as const) {
        const { cpu, wall } = started(node, way, start)
        measured[start].push({ cpu: cpu - bare.cpu, wall: wall - bare.wall })
      }
    }
    const of = (start: Start, figure: 'cpu' | 'wall') => measured[start].map((each) => each[figure])
    const cost = (start: Start) => ({ cpu: spreadOf(of(start, 'cpu')), wall: spreadOf(of(start, 'wall')) })
    const ratio = (start: Start) => ({
      cpu: ratioOf(of(start, 'cpu'), of('client', 'cpu')),
      wall: ratioOf(of(start, 'wall'), of('client', 'wall')),
    })
    return {
      way,
      bare: cost('bare'),
      client: cost('client'),
      reqtrack: cost('reqtrack'),
      atOnce: cost('atOnce'),
      ratio: ratio('reqtrack'),
      ratioAtOnce: ratio('atOnce'),
    }
  })
}

/** What each way into the package takes to be imported. */
export interface DoorResult {
  readonly door: string
  readonly cpu: Spread
}

const DOORS = [
  '@segment/analytics-node',
  'reqtrack',
  'reqtrack/express',
  'reqtrack/koa',
  'reqtrack/fastify',
  'reqtrack/fetch',
  'reqtrack/hono',
  'reqtrack/testing',
]

/** Imports each by itself in cold processes, in turns; milliseconds of CPU beyond Node's own. The package has been built. */
export function runDoors(node: string, rounds: number): DoorResult[] {
  const measured = new Map(DOORS.map((door): [string, number[]] => [door, []]))
  for (let round = 0; round < rounds; round++) {
    const bare = cpuOf(node, 'import', '').cpu
    for (const [door, costs] of measured)
      costs.push(cpuOf(node, 'import', `await import(${JSON.stringify(door)})`).cpu - bare)
  }
  return [...measured].map(([door, costs]) => ({ door, cpu: spreadOf(costs) }))
}

function started(node: string, way: Way, start: Start): { cpu: number; wall: number } {
  const made = STARTS[start]
  return cpuOf(node, way, `${made[way]}\n${made.use}`)
}

/** The CPU of a process, its helping threads included, and how long it has run: from its beginning to the end of the start. */
function cpuOf(node: string, way: Way, code: string): { cpu: number; wall: number } {
  const script = `${code}
    const { user, system } = process.cpuUsage()
    console.log(JSON.stringify({ cpu: (user + system) / 1_000, wall: performance.now() }))
    process.exit()`
  const type = way === 'import' ? 'module' : 'commonjs'
  const output = execFileSync(node, [`--input-type=${type}`, '--eval', script], {
    cwd: root,
    encoding: 'utf8',
  })
  return JSON.parse(output)
}
