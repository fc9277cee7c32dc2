import { h, s } from './dom.js'

/** A part of a bar: its label, its size, and the class that colours it. */
export interface Part {
  readonly label: string
  readonly value: number
  readonly tone: string
}

const WIDTH = 300
const HEIGHT = 48

/**
 * A chart of stacked columns.
 *
 * @param label - Describes the chart to screen readers.
 */
export function columns(label: string, stacks: readonly (readonly Part[])[]): SVGSVGElement {
  const highest = Math.max(1, ...stacks.map(sum))
  const step = WIDTH / Math.max(1, stacks.length)
  const chart = s('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: 'columns',
    role: 'img',
    'aria-label': label,
    preserveAspectRatio: 'none',
  })
  for (const [index, parts] of stacks.entries()) {
    let top = HEIGHT
    const add = (height: number, tone: string) => {
      top -= height
      const place = {
        x: `${index * step + 1}`,
        y: `${top}`,
        width: `${step - 2}`,
        height: `${height}`,
        rx: '1.5',
      }
      chart.append(s('rect', { ...place, class: `fill ${tone}` }))
    }
    if (sum(parts) === 0) add(2, 'none')
    for (const { value, tone } of parts) if (value > 0) add(Math.max(3, (value / highest) * HEIGHT), tone)
  }
  return chart
}

/** One stacked bar with a legend. */
export function stackedBar(label: string, parts: readonly Part[]): HTMLElement {
  const total = sum(parts)
  const chart = s('svg', {
    viewBox: `0 0 ${WIDTH} 8`,
    class: 'stacked',
    'aria-hidden': 'true',
    preserveAspectRatio: 'none',
  })
  chart.append(s('rect', { width: `${WIDTH}`, height: '8', class: 'fill none' }))
  let left = 0
  for (const { value, tone } of parts) {
    const width = total === 0 ? 0 : (value / total) * WIDTH
    chart.append(s('rect', { x: `${left}`, width: `${width}`, height: '8', class: `fill ${tone}` }))
    left += width
  }
  const legend = h('ul', { class: 'legend' })
  for (const { label: name, value, tone } of parts) {
    legend.append(
      h('li', {}, h('i', { class: `swatch ${tone}` }), `${name} `, h('b', {}, value.toLocaleString('en'))),
    )
  }
  return h('div', { role: 'group', 'aria-label': label }, chart, legend)
}

/** A list of bars, the longest first. */
export function rankedBars(parts: readonly Part[]): HTMLElement {
  const sorted = parts.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value)
  const highest = sorted[0]?.value ?? 1
  const list = h('ul', { class: 'ranked' })
  for (const { label, value, tone } of sorted) {
    const chart = s('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' })
    chart.append(
      s('rect', { width: `${(value / highest) * 100}`, height: '6', rx: '1', class: `fill ${tone}` }),
    )
    list.append(h('li', {}, h('span', {}, label), chart, h('b', {}, value.toLocaleString('en'))))
  }
  return list
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { value }) => total + value, 0)
}
