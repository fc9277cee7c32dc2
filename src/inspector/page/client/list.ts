import type { RequestSummary } from '../../view.js'
import { byId, h } from './dom.js'
import type { Filters } from './filters.js'
import { clock, counted, duration, SIGNS, STATES } from './words.js'

/** The list of requests, the latest first. */
export class RequestList {
  readonly #list = byId('list')
  readonly #empty = byId('empty')
  readonly #count = byId('count')
  readonly #requests = new Map<number, { summary: RequestSummary; row: HTMLElement; link: HTMLElement }>()
  #current: number | undefined

  /** Removes all requests. */
  clear(): void {
    this.#requests.clear()
    this.#list.replaceChildren()
  }

  /** Adds or updates requests, and removes the oldest beyond the server's capacity. */
  update(summaries: readonly RequestSummary[], capacity: number): void {
    for (const summary of [...summaries].sort((a, b) => a.at - b.at)) this.#put(summary)
    for (const [number, { row }] of this.#requests) {
      if (this.#requests.size <= capacity) break
      this.#requests.delete(number)
      row.remove()
    }
  }

  /** All listed requests. */
  all(): RequestSummary[] {
    return [...this.#requests.values()].map(({ summary }) => summary)
  }

  /** Hides the requests that the filters exclude. */
  filter(filters: Filters): void {
    let shown = 0
    for (const { summary, row } of this.#requests.values()) {
      row.hidden = !filters.shows(summary)
      if (!row.hidden) shown++
    }
    const { size } = this.#requests
    this.#count.textContent = shown === size ? `${size}` : `${shown} of ${size}`
    this.#empty.hidden = shown > 0
    this.#empty.textContent =
      size > 0
        ? 'No request is like that.'
        : 'No request yet. Send one to the application: it appears here as it ends.'
  }

  /** Marks the open request. */
  mark(number: number | undefined): void {
    if (this.#current !== undefined) {
      this.#requests.get(this.#current)?.link.removeAttribute('aria-current')
    }
    this.#current = number
    if (number !== undefined) this.#requests.get(number)?.link.setAttribute('aria-current', 'true')
  }

  /** Moves the focus up or down the list. */
  move(by: 1 | -1): void {
    const links = [...this.#list.querySelectorAll<HTMLElement>('li:not([hidden]) > a')]
    const focused = links.findIndex((link) => link.matches(':focus'))
    const marked = links.findIndex((link) => link.hasAttribute('aria-current'))
    const from = focused >= 0 ? focused : marked
    const next = from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + by))
    links[next]?.focus()
  }

  /** Focuses a request. */
  focus(number: number): void {
    this.#requests.get(number)?.link.focus()
  }

  #put(summary: RequestSummary): void {
    const { number } = summary
    const known = this.#requests.get(number)
    if (known) {
      known.summary = summary
      known.link.replaceChildren(...contentOf(summary))
      return
    }
    const link = h('a', { href: `#${number}` }, ...contentOf(summary))
    if (number === this.#current) link.setAttribute('aria-current', 'true')
    const row = h('li', {}, link)
    this.#requests.set(number, { summary, row, link })
    this.#list.prepend(row)
  }
}

function contentOf(summary: RequestSummary): HTMLElement[] {
  const { method, path, durationMs, at, userId, anonymousId, events, more } = summary
  const chips = events.map(({ name, state }) =>
    h(
      'span',
      { class: `chip ${state}`, title: STATES[state] },
      h('i', { 'aria-hidden': 'true' }, SIGNS[state]),
      name,
      h('span', { class: 'hidden' }, ` (${STATES[state]})`),
    ),
  )
  if (more > 0) chips.push(h('span', { class: 'chip open' }, `${more} more`))
  return [
    h(
      'span',
      { class: 'line' },
      h('span', { class: 'method' }, method),
      h('span', { class: 'path' }, path),
      statusBadge(summary),
      h('span', { class: 'ms' }, duration(durationMs)),
    ),
    h(
      'span',
      { class: 'line second' },
      h('span', { class: 'sender' }, userId ?? anonymousId ?? 'nobody known'),
      h(
        'span',
        { class: 'chips' },
        ...(chips.length > 0 ? chips : [h('span', { class: 'muted' }, 'no events')]),
      ),
      h('time', {}, clock(at)),
    ),
  ]
}

/** A badge for a response's status; without one, for how the request or run ended. */
export function statusBadge({ status, end }: RequestSummary): HTMLElement {
  if (status === undefined) {
    return h('span', { class: `status ${end === 'done' ? 'delivered' : 'failed'}` }, end)
  }
  const tone = status >= 500 ? 'failed' : status >= 400 ? 'retrying' : 'delivered'
  return h('span', { class: `status ${tone}` }, `${status}`)
}

/** How many events a request has, in words. */
export function eventCount({ events, more }: RequestSummary): string {
  return counted(events.length + more, 'event')
}
