import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, root } from './bundle.js'
import { runBursts } from './burst.js'
import { runFar } from './far.js'
import { runFixedRates } from './fixed-rate.js'
import { runFleet } from './fleet/run.js'
import { runHostile } from './hostile.js'
import { runScenario } from './http.js'
import { runInProcess } from './in-process/run.js'
import { keepResults } from './kept-results.js'
import { runMemory } from './memory.js'
import { memoryPicture } from './memory-picture.js'
import { nodeBinary } from './node-binary.js'
import { runOutage } from './outage.js'
import { runPeers } from './peers.js'
import { endAll } from './processes.js'
import { type Results, tableOf } from './report.js'
import { FRAMEWORKS, SCENARIOS } from './scenarios.js'
import type { ServerOptions } from './server/options.js'
import { runSizes } from './size.js'
import { runDoors, runStarts } from './start.js'

// npm run bench -- [--quick] [--node 24] [--write] [--only start,mounted,one,places,collect,peers,outage,burst,in-process,rate,far,hostile,size,fleet] [--framework express] [--rounds 15]
// npm run bench -- --only memory --minutes 60

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string' },
    only: { type: 'string' },
    framework: { type: 'string', default: FRAMEWORKS.join() },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
  },
})

const { quick } = given
const wanted = given.only?.split(',')
const isWanted = (part: string) => !wanted || wanted.includes(part)
const rounds = Number(given.rounds ?? (quick ? 1 : 9))
const seconds = quick ? 0.15 : 1

process.on('exit', endAll)

const files = await bundle({
  server: 'server/index.ts',
  load: 'load.ts',
  pacedLoad: 'paced-load.ts',
  segment: 'segment.ts',
  endpoint: 'endpoint.ts',
  farEndpoint: 'far-endpoint.ts',
  inProcess: 'in-process/index.ts',
  relay: 'fleet/relay.ts',
})
const node = given.node ? nodeBinary(given.node) : process.execPath
const results: Results = {
  measuredAt: new Date().toISOString().slice(0, 16),
  machine: `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`,
  node: given.node ?? process.versions.node,
  quick,
  scenarios: [],
  outage: [],
  peers: [],
  fixedRates: [],
  starts: [],
}
const settingOf = (framework: ServerOptions['framework']) => ({
  files,
  node,
  framework,
  rounds,
  seconds,
})

if (isWanted('start')) {
  results.starts = runStarts(node, quick ? 1 : 3 * rounds)
  results.doors = runDoors(node, quick ? 1 : 3 * rounds)
}
if (isWanted('size')) results.sizes = await runSizes()
await inOrder([
  ...SCENARIOS.filter(({ id }) => isWanted(id)).flatMap((scenario) =>
    (scenario.frameworks ?? (['express', 'koa'] as const))
      .filter((framework) => given.framework.includes(framework))
      .filter((framework) => !quick || framework === 'express' || scenario.calls > 0)
      .map((framework) => async () => {
        results.scenarios.push(await runScenario(scenario, settingOf(framework)))
      }),
  ),
  ...(['express', 'koa'] as const)
    .filter((framework) => isWanted('peers') && given.framework.includes(framework))
    .map((framework) => async () => {
      results.peers.push(await runPeers(settingOf(framework), quick ? 400 : 20_000))
    }),
  ...(['direct', 'mounted'] as const)
    .filter(() => isWanted('outage'))
    .map((way) => async () => {
      results.outage.push(await runOutage(settingOf('express'), way, quick ? 1 : 8))
    }),
])
if (isWanted('burst')) {
  results.burst = await runBursts(settingOf('express'), quick ? 5_000 : 50_000, quick ? 1 : 5)
}
if (isWanted('in-process')) {
  const effort = quick
    ? { rounds: 1, events: 300, people: 1_000 }
    : { rounds: 25, events: 2_000, people: 1_000_000 }
  results.inProcess = await runInProcess(files.inProcess, node, effort)
}
if (isWanted('fleet')) {
  const effort = quick ? { requests: 200, backlog: 5_000 } : { requests: 20_000, backlog: 1_000_000 }
  results.fleet = await runFleet(settingOf('express'), effort)
}
if (isWanted('rate')) {
  for (const handler of ['order', 'many'] as const)
    results.fixedRates.push(await runFixedRates(settingOf('express'), handler))
}
if (isWanted('far')) {
  results.far = await runFar(settingOf('express'), quick ? 100 : 1_500, quick ? 0.3 : 10)
}
if (isWanted('hostile')) results.hostile = await runHostile(quick ? 1 : rounds)
// An hour is no part of the whole: it is asked for by name.
if (wanted ? wanted.includes('memory') : quick) {
  const memory = await runMemory(settingOf('express'), 500, quick ? 3 : Number(given.minutes) * 60)
  results.memory = memory
  if (!quick) writeFileSync(join(root, 'docs', 'images', 'memory.svg'), memoryPicture(memory))
}

console.log(tableOf(results))
// A quick run, or a part that nobody wants to keep, is no result.
if (!quick && (given.write || !wanted)) keepResults(results)

/** One after the other, so that they do not disturb each other; a few at once where only their correctness counts. */
async function inOrder(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs]
  const work = async () => {
    for (let job = left.shift(); job; job = left.shift()) await job()
  }
  await Promise.all(Array.from({ length: quick ? 3 : 1 }, work))
}
