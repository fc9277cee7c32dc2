// The tables of docs/performance.md, from the results that were kept: `npm run bench:tables`.
import { writeMeasured } from '../scripts/measured.js'
import type { ScenarioResult, VariantResult } from './http.js'
import { keptResults, NODES } from './kept-results.js'
import type { ServerOptions } from './server/options.js'
import type { Spread } from './statistics.js'

type Framework = ServerOptions['framework']

const NAMES: Readonly<Record<Framework, string>> = {
  express: 'Express 5',
  koa: 'Koa 3',
  fastify: 'Fastify 5',
  hono: 'Hono 4',
}
/** What is measured under one Node only. */
const NODE_OF_THE_REST = '24'
/** Of the hostile inputs, which are more than anybody reads. */
const DEAREST = 15
/** A server that answers fewer than so many of the requests that are due is overloaded. */
const NOT_BEHIND = 0.95
const FRAMEWORKS: readonly Framework[] = ['express', 'koa', 'fastify', 'hono']

write('nothing tracked', [
  ['', 'bare, µs', 'off', 'on', 'off, 20 awaits', 'on, 20 awaits', 'cls-hooked, 20 awaits'],
  ...everywhere((node, framework) => {
    const mounted = scenarioOf(node, 'mounted', framework)
    if (!mounted) return undefined
    const awaits = scenarioOf(node, 'awaits', framework)
    const clsHooked = scenarioOf(node, 'cls-hooked', framework)
    const over = (scenario: ScenarioResult | undefined, variant: string) =>
      ratioOf(variantOf(scenario, variant)?.ratios?.cpu)
    return [
      microseconds(variantOf(mounted, 'bare server')),
      over(mounted, 'ambient off'),
      over(mounted, 'ambient on'),
      over(awaits, 'ambient off'),
      over(awaits, 'ambient on'),
      over(clsHooked, 'cls-hooked'),
    ]
  }),
])

write('one event against the SDK', [
  ['', 'CPU', 'requests a second', 'p99'],
  ...everywhere((node, framework) => ratiosIn(node, framework, 'one')),
])

write('seven calls against the SDK', [
  ['', 'CPU', 'requests a second', 'p99'],
  ...everywhere((node, framework) => ratiosIn(node, framework, 'many')),
])

write('against the collector', [
  ['', 'CPU', 'requests a second', 'p99'],
  ...everywhere((node, framework) => ratiosIn(node, framework, 'collector')),
])

const places = NODES.flatMap((node) => scenarioOf(node, 'places', 'express') ?? [])
write('every place', [
  ['µs a request', ...NODES.map((node) => `Node ${node}`)],
  ...(places[0]?.variants ?? []).map(({ name }) => [
    name,
    ...NODES.map((node) => costOf(variantOf(scenarioOf(node, 'places', 'express'), name))),
  ]),
])

write('an event of a browser', [
  ['', 'a route that parses it, µs', 'the same, and its handler tracks it', '`expressCollect()`'],
  ...NODES.flatMap((node) => {
    const collect = scenarioOf(node, 'collect', 'express')
    if (!collect) return []
    const over = (name: string) => {
      const variant = variantOf(collect, name)
      return `${microseconds(variant)} µs, ${ratioOf(variant?.ratios?.cpu)}`
    }
    const bare = microseconds(variantOf(collect, 'bare server'))
    return [[`Node ${node}`, bare, over('tracked by that route'), over('expressCollect()')]]
  }),
])

write('a start', [
  ['', 'SDK', 'reqtrack', '', 'with the SDK at once', ''],
  ...NODES.flatMap((node) =>
    (keptResults(node)?.starts ?? []).map(({ way, client, reqtrack, ratio, atOnce, ratioAtOnce }) => [
      `Node ${node}, \`${way}\``,
      `${client.cpu.median.toFixed(0)} ms`,
      `${reqtrack.cpu.median.toFixed(0)} ms`,
      ratioOf(ratio.cpu),
      `${atOnce.cpu.median.toFixed(0)} ms`,
      ratioOf(ratioAtOnce.cpu),
    ]),
  ),
])

const { fixedRates = [], far, peers = [] } = keptResults(NODE_OF_THE_REST) ?? {}
// These run in the suite's own process.
const { hostile = [] } = keptResults('20') ?? {}

write('at a fixed rate', [
  ['', 'of the bare server’s capacity', 'p50, ms', 'p99, ms', 'p99.9, ms'],
  ...fixedRates.flatMap(({ calls, rates }) =>
    rates.map(({ name, share, rate, perSecond, latency }) => [
      `${calls === 1 ? 'one event' : 'seven calls'}, ${name}`,
      `×${share}, ${rate.toFixed(0)} a second`,
      ...(perSecond.median < NOT_BEHIND * rate
        ? [`overloaded: ${perSecond.median.toFixed(0)} a second`, '', '']
        : [latency.p50, latency.p99, latency.p999].map(({ median }) => median.toFixed(1))),
    ]),
  ),
])

write('far away', [
  ['', 'requests to the endpoint', 'connections', 'late', 'p99, ms', 'CPU a request, µs', 'peak over idle'],
  ...(far?.ways ?? []).map(({ name, sent, connections, late, p99, cpu, overIdle }) => [
    name,
    sent.toFixed(0),
    connections.toFixed(0),
    `${(late / 1_000).toFixed(1)} s`,
    p99.toFixed(1),
    cpu.toFixed(0),
    megabytes(overIdle),
  ]),
])

for (const { framework, peers: measured } of peers) {
  const bare = measured[0]?.cpu.median ?? Number.NaN
  write(`peers on ${framework}`, [
    [
      NAMES[framework],
      'requests a second',
      'p99, ms',
      'CPU a request, µs',
      'over bare',
      'requests to the endpoint',
      'reqtrack has of its requests a second',
      'of its p99',
    ],
    ...measured.map(({ name, perSecond, p99, cpu, requests, reqtrackOver }) => [
      name,
      perSecond.median.toFixed(0),
      p99.median.toFixed(1),
      cpu.median.toFixed(0),
      `+${(cpu.median - bare).toFixed(0)}`,
      requests.median.toFixed(0),
      ratioOf(reqtrackOver?.perSecond),
      ratioOf(reqtrackOver?.p99),
    ]),
  ])
}

write('what a visitor sends', [
  ['', 'CPU', 'memory'],
  ...hostile
    .slice(0, DEAREST)
    .map(({ what, cpu, memory }) => [cellOf(what), `×${cpu.toFixed(2)}`, `×${memory.toFixed(2)}`]),
])

/** What was never kept leaves its table as it is. */
function write(what: string, [head = [], ...rows]: readonly (readonly string[])[]): void {
  if (rows.length === 0) return
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  writeMeasured('performance.md', `npm run bench:tables: ${what}`, lines.join('\n'))
}

/** A row for each Node and each framework that was measured there. */
function everywhere(cellsOf: (node: string, framework: Framework) => string[] | undefined): string[][] {
  return FRAMEWORKS.flatMap((framework) =>
    NODES.flatMap((node) => {
      const cells = cellsOf(node, framework)
      return cells ? [[`${NAMES[framework]}, Node ${node}`, ...cells]] : []
    }),
  )
}

/** Microseconds, and how much that is of a bare server's, and of the SDK's in the handler. */
function costOf(variant: VariantResult | undefined): string {
  const over = [variant?.ratios, variant?.overSdk].flatMap((ratios) => ratios?.cpu.median ?? [])
  return [microseconds(variant), ...over.map((ratio) => `×${ratio.toFixed(2)}`)].join(', ')
}

function ratiosIn(node: string, framework: Framework, scenario: string): string[] | undefined {
  const ratios = variantOf(scenarioOf(node, scenario, framework), 'reqtrack')?.ratios
  return ratios && [ratioOf(ratios.cpu), ratioOf(ratios.perSecond), ratioOf(ratios.p99)]
}

function scenarioOf(node: string, scenario: string, framework: Framework): ScenarioResult | undefined {
  return keptResults(node)?.scenarios.find(
    (each) => each.scenario === scenario && each.framework === framework,
  )
}

function variantOf(scenario: ScenarioResult | undefined, name: string): VariantResult | undefined {
  return scenario?.variants.find((variant) => variant.name === name)
}

function microseconds(variant: VariantResult | undefined): string {
  return variant?.cpu.median.toFixed(1) ?? ''
}

function ratioOf(spread: Spread | undefined): string {
  if (!spread) return ''
  return `×${spread.median.toFixed(2)} [${spread.lowest.toFixed(2)}–${spread.highest.toFixed(2)}]`
}

/** A text in a cell of a table, whatever it has in it. */
function cellOf(text: string): string {
  return text.replace(/[|<>*_`[\]\\]/g, (character) => `\\${character}`).replace(/\s+/g, ' ')
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}
