import type { BurstResults } from './burst.js'
import type { ScenarioResult } from './http.js'
import type { InProcessResult } from './in-process/run.js'
import type { OutageResult } from './outage.js'
import type { PeersResult } from './peers.js'
import { SCENARIOS } from './scenarios.js'
import type { StartResult } from './start.js'
import type { Spread } from './statistics.js'

/** Everything that a run measured. */
export interface Results {
  readonly measuredAt: string
  readonly machine: string
  readonly node: string
  readonly quick: boolean
  scenarios: ScenarioResult[]
  inProcess?: InProcessResult
  burst?: BurstResults
  outage: OutageResult[]
  peers: PeersResult[]
  starts: StartResult[]
}

/** The results as text, one table. */
export function tableOf(results: Results): string {
  return [
    [`${results.machine}, Node ${results.node}, ${results.measuredAt}`],
    results.starts.flatMap(startLines),
    inOrder(results.scenarios).flatMap(scenarioLines),
    results.peers.flatMap(peersLines),
    results.outage.map(outageLine),
    results.burst ? burstLines(results.burst) : [],
    results.inProcess ? inProcessLines(results.inProcess) : [],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** The quick run has several under way at a time. */
function inOrder(scenarios: readonly ScenarioResult[]): ScenarioResult[] {
  const place = ({ scenario }: ScenarioResult) => SCENARIOS.findIndex(({ id }) => id === scenario)
  return [...scenarios].sort((one, other) => place(one) - place(other))
}

function scenarioLines({ title, framework, variants }: ScenarioResult): string[] {
  const rows = variants.map(({ name, cpu, perSecond, p50, p99, ratios, tracked, received }) => {
    const arrived = tracked > 0 ? `  ${received}/${tracked} arrived` : ''
    const absolute = `${cpu.median.toFixed(1).padStart(7)} µs/req ${perSecond.median.toFixed(0).padStart(6)} req/s`
    const latency = `p50 ${p50.median.toFixed(1)} p99 ${p99.median.toFixed(0)} ms`
    const over = ratios
      ? `  cpu ${ratioText(ratios.cpu)}  req/s ${ratioText(ratios.perSecond)}  p99 ${ratioText(ratios.p99)}`
      : ''
    return `  ${name.padEnd(20)}${absolute}  ${latency.padEnd(18)}${over}${arrived}`
  })
  return [`${framework}: ${title}`, ...rows]
}

function peersLines({ framework, load, peers, overBare }: PeersResult): string[] {
  const bare = peers[0]?.cpu.median ?? Number.NaN
  const rows = peers.map(({ name, perSecond, p99, cpu, requests, peak, tracked, received, reqtrackOver }) => {
    const over = reqtrackOver
      ? `  reqtrack has req/s ${ratioText(reqtrackOver.perSecond)}  p99 ${ratioText(reqtrackOver.p99)}`
      : ''
    const figures = [
      `${perSecond.median.toFixed(0).padStart(6)} req/s`,
      `p99 ${p99.median.toFixed(1).padStart(5)} ms`,
      `${cpu.median.toFixed(0).padStart(4)} µs/req (+${(cpu.median - bare).toFixed(0)})`.padEnd(20),
      `${requests.median.toFixed(0).padStart(5)} sent`,
      `${mb(peak).padStart(7)}`,
      `${received}/${tracked} arrived`,
    ]
    return `  ${name.padEnd(30)}${figures.join('  ')}${over}`
  })
  return [
    `${framework}: one event a request, ${load} requests a turn, until all events have arrived`,
    ...rows,
    `  CPU over bare: ×${overBare.toFixed(2)} of the SDK's`,
  ]
}

function outageLine({ way, slow, silent, cpu, overIdle, tracked, received }: OutageResult): string {
  const p99 = `p99 ${slow.p99.toFixed(0)} ms while Segment is slow, ${silent.p99.toFixed(0)} ms while it is silent`
  return `outage, ${way}: ${p99}, ${cpu.toFixed(0)} µs/req, peak ${mb(overIdle)} over idle, ${received}/${tracked} arrived`
}

function burstLines({ events, ways, ratio }: BurstResults): string[] {
  const rows = ways.map(
    ({ way, overIdle, received, tracked }) =>
      `  ${way.padEnd(20)}${mb(overIdle.median)} over idle  ${received.median}/${tracked} arrived`,
  )
  return [`burst of ${events} events: peak ${ratioText(ratio)} of the SDK's`, ...rows]
}

function inProcessLines({
  steps,
  way,
  overCollector,
  runOverRequest,
  growth,
  heap,
}: InProcessResult): string[] {
  const costs = (list: InProcessResult['steps']) =>
    list.map(
      ({ step, us, bytes }) =>
        `  ${step.padEnd(20)}${us.median.toFixed(2).padStart(7)} µs [${us.lowest.toFixed(2)}–${us.highest.toFixed(2)}] ${bytes} bytes`,
    )
  const series = growth.map(({ what, points, exponent, growth: kind }) => {
    const shown = points.map(({ size, cost }) => `${size}: ${cost.toFixed(1)}`).join('  ')
    return `  ${what.padEnd(20)}${kind} (exponent ${exponent.toFixed(2)}); µs at ${shown}`
  })
  const heaps = (['bare', 'tracked'] as const).map(
    (key) => `  ${key.padEnd(20)}${heap[key].map((bytes) => (bytes / 2 ** 20).toFixed(1)).join('  ')} MB`,
  )
  return [
    'in process, one step',
    ...costs(steps),
    'in process, the whole way up to the SDK',
    ...costs(way),
    `  over the collector  ${ratioText(overCollector)}`,
    `  run over request    ${ratioText(runOverRequest)}`,
    'growth',
    ...series,
    `heap during ${heap.people} requests of distinct users`,
    ...heaps,
  ]
}

function startLines({ way, bare, client, reqtrack, ratio }: StartResult): string[] {
  const row = (name: string, { cpu, wall }: StartResult['client']) =>
    `  ${name.padEnd(20)}${cpu.median.toFixed(0).padStart(4)} ms of CPU ${wall.median.toFixed(0).padStart(5)} ms`
  const over = `cpu ${ratioText(ratio.cpu)}  wall ${ratioText(ratio.wall)}`
  return [
    `start, ${way}: beyond Node's own ${bare.cpu.median.toFixed(0)} ms of CPU`,
    row('SDK', client),
    `${row('reqtrack', reqtrack)}  ${over}`,
  ]
}

function ratioText({ median, lowest, highest }: Spread): string {
  return `×${median.toFixed(2)} [${lowest.toFixed(2)}–${highest.toFixed(2)}]`
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}
