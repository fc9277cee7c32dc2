import type { BurstResults } from './burst.js'
import type { FarResults } from './far.js'
import type { RatesResult } from './fixed-rate.js'
import type { FleetResults } from './fleet/run.js'
import type { HostileResult } from './hostile.js'
import type { ScenarioResult, VariantResult } from './http.js'
import type { InProcessResult } from './in-process/run.js'
import type { MemoryResults } from './memory.js'
import type { OutageResult } from './outage.js'
import type { PeersResult } from './peers.js'
import { SCENARIOS } from './scenarios.js'
import type { SizeResult } from './size.js'
import type { DoorResult, StartResult } from './start.js'
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
  fixedRates: RatesResult[]
  far?: FarResults
  fleet?: FleetResults
  hostile?: HostileResult[]
  starts: StartResult[]
  doors?: DoorResult[]
  sizes?: SizeResult[]
  memory?: MemoryResults
}

/** The results as text, one table. */
export function tableOf(results: Results): string {
  return [
    [`${results.machine}, Node ${results.node}, ${results.measuredAt}`],
    results.starts.flatMap(startLines),
    doorLines(results.doors ?? []),
    sizeLines(results.sizes ?? []),
    inOrder(results.scenarios).flatMap(scenarioLines),
    results.peers.flatMap(peersLines),
    results.outage.map(outageLine),
    results.burst ? burstLines(results.burst) : [],
    results.inProcess ? inProcessLines(results.inProcess) : [],
    results.fixedRates.flatMap(rateLines),
    results.far ? farLines(results.far) : [],
    results.fleet ? fleetLines(results.fleet) : [],
    hostileLines(results.hostile ?? []),
    results.memory ? memoryLines(results.memory) : [],
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
  const rows = variants.map(({ name, cpu, perSecond, p50, p99, ratios, overSdk, tracked, received }) => {
    const arrived = tracked > 0 ? `  ${received}/${tracked} arrived` : ''
    const absolute = `${cpu.median.toFixed(1).padStart(7)} µs/req ${perSecond.median.toFixed(0).padStart(6)} req/s`
    const latency = `p50 ${p50.median.toFixed(1)} p99 ${p99.median.toFixed(0)} ms`
    const over = ratios ? `  ${ratiosText(ratios)}` : ''
    const sdk = overSdk ? `  over the SDK: ${ratiosText(overSdk)}` : ''
    return `  ${name.padEnd(22)}${absolute}  ${latency.padEnd(18)}${over}${sdk}${arrived}`
  })
  return [`${framework}: ${title}`, ...rows]
}

function ratiosText({ cpu, perSecond, p99 }: NonNullable<VariantResult['ratios']>): string {
  return `cpu ${ratioText(cpu)}  req/s ${ratioText(perSecond)}  p99 ${ratioText(p99)}`
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

function startLines({ way, bare, client, reqtrack, atOnce, ratio, ratioAtOnce }: StartResult): string[] {
  const row = (name: string, { cpu, wall }: StartResult['client']) =>
    `  ${name.padEnd(20)}${cpu.median.toFixed(0).padStart(4)} ms of CPU ${wall.median.toFixed(0).padStart(5)} ms`
  const over = ({ cpu, wall }: StartResult['ratio']) => `cpu ${ratioText(cpu)}  wall ${ratioText(wall)}`
  return [
    `start, ${way}: beyond Node's own ${bare.cpu.median.toFixed(0)} ms of CPU`,
    row('SDK', client),
    `${row('reqtrack', reqtrack)}  ${over(ratio)}`,
    `${row('  its SDK at once', atOnce)}  ${over(ratioAtOnce)}`,
  ]
}

function rateLines({ framework, calls, capacity, rates }: RatesResult): string[] {
  const rows = rates.map(({ name, share, rate, perSecond, latency }) => {
    const figures = (['p50', 'p99', 'p999'] as const).map(
      (figure) => `${figure} ${latency[figure].median.toFixed(1)} ms`,
    )
    const isBehind = perSecond.median < 0.95 * rate ? '  overloaded' : ''
    return `  ×${share} ${name.padEnd(26)}${perSecond.median.toFixed(0).padStart(6)} req/s  ${figures.join('  ')}${isBehind}`
  })
  const what = calls === 1 ? 'one call' : `${calls} calls`
  return [
    `${framework}: ${what} a request at a fixed rate, of the ${capacity.toFixed(0)} requests a second that bare can serve`,
    ...rows,
  ]
}

function farLines({ rate, seconds, latencyMs, ways }: FarResults): string[] {
  const rows = ways.map((way) => {
    const figures = [
      `p99 ${way.p99.toFixed(1)} ms`,
      `${way.cpu.toFixed(0)} µs/req`,
      `${way.connections} connections (${way.mostConnections} at a time)`,
      `${way.sent} sent`,
      `last ${way.late.toFixed(0)} ms late`,
      `peak ${mb(way.overIdle)} over idle`,
      `${way.received}/${way.tracked} arrived`,
    ]
    return `  ${way.name.padEnd(28)}${figures.join('  ')}`
  })
  return [
    `far: ${rate} events a second for ${seconds} s to an endpoint behind TLS, ${latencyMs} ms away`,
    ...rows,
  ]
}

function fleetLines({ runs, backlog }: FleetResults): string[] {
  const { calls, redisBytes, writtenPerSecond, drainedPerSecond, relayCpu, earlyRss, peakRss } = backlog
  return [
    'A fleet: web processes that write to Redis, and relays that send',
    ...runs.map(
      (run) =>
        `  ${run.webs} + ${run.relays}: ${run.perSecond.toFixed(0)} events/s, ${run.webCpu.toFixed(0)} µs a request, ` +
        `${run.relayCpu.toFixed(0)} µs a call in a relay; ${run.tracked} tracked, ${run.received} received`,
    ),
    `  ${calls} calls wait: ${redisBytes.toFixed(0)} bytes each in Redis, written at ${writtenPerSecond.toFixed(0)}/s`,
    `  one relay sends them at ${drainedPerSecond.toFixed(0)}/s, ${relayCpu.toFixed(0)} µs each; ` +
      `${mb(earlyRss)} with a tenth sent, ${mb(peakRss)} at its peak`,
  ]
}

function hostileLines(results: readonly HostileResult[]): string[] {
  if (results.length === 0) return []
  const rows = results.map(
    ({ what, cpu, memory }) => `  cpu ×${cpu.toFixed(2)}  memory ×${memory.toFixed(2)}  ${what}`,
  )
  return ['what a visitor sends, over what an ordinary event adds', ...rows]
}

function doorLines(doors: readonly DoorResult[]): string[] {
  if (doors.length === 0) return []
  const rows = doors.map(
    ({ door, cpu }) => `  ${door.padEnd(26)}${cpu.median.toFixed(0).padStart(4)} ms of CPU`,
  )
  return ['imported by itself', ...rows]
}

function sizeLines(sizes: readonly SizeResult[]): string[] {
  if (sizes.length === 0) return []
  const rows = sizes.map(({ name, packages, installed, bundled, bundledAndCompressed }) =>
    [
      `  ${name.padEnd(26)}${packages} packages`,
      `${(installed / 2 ** 20).toFixed(1)} MB installed`,
      `${(bundled / 1024).toFixed(0)} KB in a bundle (${(bundledAndCompressed / 1024).toFixed(0)} KB compressed)`,
    ].join('  '),
  )
  return ['size', ...rows]
}

function memoryLines({ ways, rate, seconds, outage }: MemoryResults): string[] {
  const rows = ways.map(({ name, samples, load, ended, received, again, books }) => {
    const memory = samples.map(({ rss }) => rss)
    const figures = [
      `peak ${mb(Math.max(...memory))}`,
      `end ${mb(memory.at(-1) ?? 0)}`,
      `p99 ${load.p99.toFixed(1)} ms`,
      `${received}/${name === 'bare' ? 0 : load.requests} arrived`,
      `${again} again`,
      ...(load.failed > 0 ? [`${load.failed} requests failed`] : []),
      ...(load.closed > 0 ? [`${load.closed} connections closed`] : []),
      ...(ended === undefined ? [] : [`out of memory after ${ended.toFixed(0)} s`]),
    ]
    return `  ${name.padEnd(26)}${figures.join('  ')}${books ? `  ${JSON.stringify(books)}` : ''}`
  })
  return [
    `memory: ${rate} events a second for ${seconds} s, Segment out from ${outage[0].toFixed(0)} to ${outage[1].toFixed(0)} s`,
    ...rows,
  ]
}

function ratioText({ median, lowest, highest }: Spread): string {
  return `×${median.toFixed(2)} [${lowest.toFixed(2)}–${highest.toFixed(2)}]`
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}
