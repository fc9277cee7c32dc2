import type { BatchView, CallView, EventView, RequestView, Sourced, Stage, WhoView } from '../../view.js'
import { byId, h, prose } from './dom.js'
import { copyButton, jsonBlock } from './json.js'
import { eventCount, statusBadge } from './list.js'
import { planPart } from './plan.js'
import { clock, counted, duration, SIGNS, STAGES, STATES } from './words.js'

/** The most calls of a shared batch that are named. */
const MAX_OTHERS = 8

/** Shows one request with its events, and remembers which parts are unfolded. */
export class Detail {
  readonly #element = byId('detail')
  /** By key: the parts that the viewer folded or unfolded. */
  readonly #folds = new Map<string, boolean>()
  #shown = ''

  /** Shows a request; does nothing if the same content is shown already. */
  show(view: RequestView): void {
    const text = JSON.stringify(view)
    if (text === this.#shown) return
    this.#shown = text
    const { summary, who, events } = view
    this.#element.replaceChildren(
      h(
        'div',
        { class: 'detail-head' },
        h('a', { href: '#', class: 'back' }, '← All requests'),
        h('h2', {}, h('span', { class: 'method' }, summary.method), ' ', summary.path),
        h(
          'p',
          { class: 'facts' },
          statusBadge(summary),
          h('span', {}, duration(summary.durationMs)),
          h('time', {}, clock(summary.at)),
          summary.scope === 'request' &&
            h(
              'span',
              { class: 'muted' },
              summary.route === undefined ? 'no route' : `route ${summary.route}`,
            ),
          copyButton('Copy link', () => location.href),
        ),
      ),
      who ? whoList(who) : h('p', { class: 'muted' }, 'Who sent it is being read.'),
      h('h3', {}, eventCount(summary)),
      ...(events.length > 0
        ? events.map((event, index) => this.#event(event, `${summary.number}/${index}`, who))
        : [h('p', { class: 'muted' }, 'It tracked nothing.')]),
    )
  }

  /** Says that a request is not kept. */
  showMissing(number: number, capacity: number): void {
    this.#shown = ''
    this.#element.replaceChildren(
      h('a', { href: '#', class: 'back' }, '← All requests'),
      h('h2', {}, `Request ${number}`),
      h(
        'p',
        {},
        `It is not kept: the server keeps the last ${counted(capacity, 'request')}, and forgets them when it ends.`,
      ),
    )
  }

  /** Shows no request. */
  clear(): void {
    this.#shown = ''
    this.#element.replaceChildren(
      h('p', { class: 'hint' }, 'Choose a request to see what became of its events.'),
    )
  }

  /** Focuses the details. */
  focus(): void {
    this.#element.focus({ preventScroll: true })
    this.#element.scrollTop = 0
  }

  #event(event: EventView, key: string, sender: WhoView | undefined): HTMLElement {
    const { name, at, state, reason, stages, plan, who, calls, json } = event
    const differs = who && JSON.stringify(who) !== JSON.stringify(sender)
    return h(
      'article',
      { class: `event ${state}` },
      h(
        'header',
        {},
        h('h4', {}, name),
        h('span', { class: `chip ${state}` }, h('i', { 'aria-hidden': 'true' }, SIGNS[state]), STATES[state]),
        h('time', {}, clock(at)),
      ),
      stageList(stages),
      reason !== undefined && h('p', { class: `reason ${state}` }, ...prose(capital(reason))),
      plan && planPart(plan, name),
      differs &&
        h('div', { class: 'own-who' }, h('p', { class: 'muted' }, 'This event’s own sender:'), whoList(who)),
      ...calls.map((call, index) => this.#call(call, `${key}/${index}`)),
      json !== undefined &&
        this.#fold(
          `${key}/event`,
          false,
          h('summary', {}, 'walkerOS event'),
          jsonBlock(json, `The event ${name}`),
        ),
    )
  }

  #call(call: CallView, key: string): HTMLElement {
    const { label, state, reason, json, batches } = call
    const [type = '', ...rest] = label.split(' ')
    const summary = h(
      'summary',
      {},
      h('code', { class: 'type' }, type),
      h('span', { class: 'call-name' }, rest.join(' ')),
      h('span', { class: `chip ${state}` }, h('i', { 'aria-hidden': 'true' }, SIGNS[state]), STATES[state]),
    )
    return this.#fold(
      key,
      true,
      summary,
      reason !== undefined && h('p', { class: 'reason failed' }, capital(reason)),
      batchList(batches, state),
      jsonBlock(json, `The call ${label}`),
    )
  }

  #fold(key: string, open: boolean, summary: HTMLElement, ...children: (HTMLElement | false)[]): HTMLElement {
    const details = h('details', { class: 'fold' }, summary, ...children)
    details.open = this.#folds.get(key) ?? open
    details.addEventListener('toggle', () => this.#folds.set(key, details.open))
    return details
  }
}

function stageList(stages: readonly Stage[]): HTMLElement {
  return h(
    'ol',
    { class: 'way', 'aria-label': 'The event’s way' },
    ...stages.map(({ name, state, note }) =>
      h(
        'li',
        { class: `${name} ${state}` },
        h('i', { class: 'dot', 'aria-hidden': 'true' }, SIGNS[state]),
        h('span', { class: 'stage' }, STAGES[name]),
        h('span', { class: 'hidden' }, `: ${state === 'unreached' ? 'not reached' : state}`),
        h('span', { class: 'stage-note' }, note),
      ),
    ),
  )
}

function batchList(batches: readonly BatchView[], state: CallView['state']): HTMLElement {
  if (batches.length === 0) {
    return h(
      'p',
      { class: 'muted' },
      state === 'pending' ? 'Waits for its batch.' : 'It was in no batch that was seen.',
    )
  }
  return h(
    'ol',
    { class: 'batches' },
    ...batches.map(({ at, durationMs, answer, ok, size, others }) =>
      h(
        'li',
        {},
        h('span', { class: `status ${ok ? 'delivered' : 'failed'}` }, answer),
        h('span', {}, `batch of ${counted(size, 'call')}, ${duration(durationMs)}, ${clock(at)}`),
        others.length > 0 && otherCalls(others),
      ),
    ),
  )
}

function otherCalls(others: BatchView['others']): HTMLElement {
  const links = others
    .slice(0, MAX_OTHERS)
    .flatMap(({ request, label }, index) => [
      index === 0 ? 'with ' : ', ',
      h('a', { href: `#${request}` }, label),
    ])
  const rest = others.length - MAX_OTHERS
  return h('span', { class: 'others' }, ...links, rest > 0 && ` and ${rest} more`)
}

function whoList({ userId, anonymousId, consent }: WhoView): HTMLElement {
  return h(
    'dl',
    { class: 'who' },
    h('dt', {}, 'User'),
    h('dd', {}, ...sourced(userId, 'no userId')),
    h('dt', {}, 'Visitor'),
    h('dd', {}, ...sourced(anonymousId, 'no anonymousId')),
    h('dt', {}, 'Consent'),
    h(
      'dd',
      { class: 'choices' },
      ...(consent.length > 0
        ? consent.map(({ key, value, reader }) =>
            h(
              'span',
              { class: `choice ${value ? 'granted' : 'refused'}` },
              h('i', { 'aria-hidden': 'true' }, value ? '✓' : '✕'),
              h('b', {}, key),
              h('span', { class: 'hidden' }, value ? ' granted' : ' refused'),
              h('span', { class: 'reader' }, ` ${reader ?? ''}`),
            ),
          )
        : [h('span', { class: 'muted' }, 'no choice is known, and unknown is not granted')]),
    ),
  )
}

function sourced(id: Sourced<string> | undefined, none: string): HTMLElement[] {
  if (!id) return [h('span', { class: 'muted' }, none)]
  return [h('code', {}, id.value), h('span', { class: 'reader' }, `by ${id.reader ?? 'nobody'}`)]
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
