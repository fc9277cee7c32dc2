import type { MemoryResult, MemoryResults } from './memory.js'

const WIDTH = 960
const HEIGHT = 420
const PLOT = { left: 64, right: 936, top: 56, bottom: 348 }
/** Lines of the picture, in the order of the ways; dashed differently for those who see no colours. */
const STYLES = [
  { name: 'bare', dashes: '2 4' },
  { name: 'own', dashes: '' },
  { name: 'disk', dashes: '8 4' },
  { name: 'other', dashes: '12 3 2 3' },
]
const MB = 2 ** 20

/** The memory of each way over time, with the outage, as an SVG for light and dark pages. */
export function memoryPicture({ ways, seconds, rate, outage }: MemoryResults): string {
  const most = Math.max(...ways.flatMap(({ samples }) => samples.map(({ rss }) => rss / MB)))
  const step = stepOf(most)
  const top = Math.ceil(most / step) * step
  const x = (at: number) => round(PLOT.left + (at / seconds) * (PLOT.right - PLOT.left))
  const y = (mb: number) => round(PLOT.bottom - (mb / top) * (PLOT.bottom - PLOT.top))
  const marks = Array.from({ length: top / step + 1 }, (_, index) => index * step)
  const pause = stepOf(seconds / 60) * 60
  const times = Array.from({ length: Math.floor(seconds / pause) + 1 }, (_, index) => index * pause)
  const title = `Resident memory at ${rate} events a second`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13">
  <title id="title">${title}</title>
  <desc id="description">${ways.map(descriptionOf).join(' ')} Segment answers 503 from ${timeOf(outage[0])} to ${timeOf(outage[1])}.</desc>
  <style>
    .paper { fill: #ffffff } .name { fill: #1f2328; font-weight: 600 } .text { fill: #59636e } .grid { stroke: #d1d9e0 }
    .outage { fill: #cf222e; fill-opacity: 0.08 } .reason { fill: #cf222e }
    .line { fill: none; stroke-width: 2 } .bare { stroke: #59636e } .own { stroke: #0969da } .disk { stroke: #1a7f37 } .other { stroke: #bc4c00 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } .name { fill: #f0f6fc } .text { fill: #9198a1 } .grid { stroke: #3d444d }
      .outage { fill: #f85149; fill-opacity: 0.12 } .reason { fill: #f85149 }
      .bare { stroke: #9198a1 } .own { stroke: #4493f8 } .disk { stroke: #3fb950 } .other { stroke: #f0883e }
    }
  </style>
  <rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>
  <text class="name" x="${PLOT.left}" y="28">${title}, MB</text>
  <rect class="outage" x="${x(outage[0])}" y="${PLOT.top}" width="${round(x(outage[1]) - x(outage[0]))}" height="${PLOT.bottom - PLOT.top}"/>
  <text class="reason" x="${x(outage[0]) + 6}" y="${PLOT.top - 6}">Segment answers 503</text>
${marks.map((mb) => `  <path class="grid" d="M${PLOT.left} ${y(mb)}H${PLOT.right}"/><text class="text" x="${PLOT.left - 8}" y="${y(mb) + 4}" text-anchor="end">${mb}</text>`).join('\n')}
${times.map((at) => `  <text class="text" x="${x(at)}" y="${PLOT.bottom + 20}" text-anchor="middle">${timeOf(at)}</text>`).join('\n')}
${ways
  .map(
    ({ samples }, index) =>
      `  <path class="line ${STYLES[index]?.name}" stroke-dasharray="${STYLES[index]?.dashes}" d="M${samples
        .filter(({ at }) => at <= seconds)
        .map(({ at, rss }) => `${x(at)} ${y(rss / MB)}`)
        .join('L')}"/>`,
  )
  .join('\n')}
${ways.map(({ samples, ended }) => (ended === undefined ? '' : `  <text class="reason" x="${x(ended) + 6}" y="${y((samples.at(-1)?.rss ?? 0) / MB) + 4}">✗ out of memory</text>`)).join('')}
${ways.map((way, index) => legendOf(way, index)).join('\n')}
</svg>
`
}

function legendOf({ name }: MemoryResult, index: number): string {
  const style = STYLES[index]
  const left = PLOT.left + index * 216
  const height = HEIGHT - 20
  return `  <path class="line ${style?.name}" stroke-dasharray="${style?.dashes}" d="M${left} ${height - 4}h32"/><text class="text" x="${left + 40}" y="${height}">${name}</text>`
}

function descriptionOf({ name, samples, ended }: MemoryResult): string {
  const most = Math.max(...samples.map(({ rss }) => rss))
  const end = ended === undefined ? 'at the end' : `when its process ran out of memory at ${timeOf(ended)}`
  return `${name}: ${(most / MB).toFixed(0)} MB at most, ${((samples.at(-1)?.rss ?? 0) / MB).toFixed(0)} ${end}.`
}

function timeOf(seconds: number): string {
  return `${round(seconds / 60)} min`
}

/** Four to ten lines, at round figures. */
function stepOf(most: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(most / 4))
  const factor = [1, 2, 5, 10].find((each) => most / (each * magnitude) <= 8) ?? 10
  return factor * magnitude
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
