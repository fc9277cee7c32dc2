import type { PlanView } from '../../view.js'
import { h } from './dom.js'
import { jsonBlock } from './json.js'

/** What an event has otherwise than the tracking plan says, with the expected shape beside what came. */
export function planPart({ violations, expected, given, stack }: PlanView, event: string): HTMLElement {
  return h(
    'section',
    { class: 'against-plan', 'aria-label': `What is against the plan in ${event}` },
    h('p', { class: 'muted' }, 'Against the tracking plan:'),
    h(
      'ul',
      { class: 'violations' },
      ...violations.map(({ problem, expected: wanted, outcome }) =>
        h(
          'li',
          {},
          h('code', {}, problem),
          wanted !== undefined && h('span', {}, `expected ${wanted}`),
          h('span', { class: 'muted' }, outcome),
        ),
      ),
    ),
    given !== undefined &&
      h(
        'div',
        { class: 'beside' },
        expected !== undefined && titled('Expected', jsonBlock(expected, `What the plan wants of ${event}`)),
        titled('What came', jsonBlock(given, `What was tracked as ${event}`)),
      ),
    stack !== undefined &&
      titled(
        'Tracked here',
        h(
          'pre',
          { class: 'stack', tabindex: '0', role: 'region', 'aria-label': `Where ${event} was tracked` },
          stack,
        ),
      ),
  )
}

function titled(title: string, content: HTMLElement): HTMLElement {
  return h('div', {}, h('p', { class: 'muted' }, title), content)
}
