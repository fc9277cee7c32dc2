import type { EventState, RequestSummary } from '../../view.js'
import { byId, h } from './dom.js'
import { STATES } from './words.js'

const NO_EVENTS = 'none'

/** The form that filters the list. */
export class Filters {
  readonly #form: HTMLFormElement

  /** @param changed - Called when a filter has changed. */
  constructor(changed: () => void) {
    const form = byId('filters')
    if (!(form instanceof HTMLFormElement)) throw new Error('#filters is no form')
    this.#form = form
    fillSelect(this.#select('outcome'), [...Object.entries(STATES), [NO_EVENTS, 'no events']])
    this.offer([])
    form.addEventListener('input', changed)
    form.addEventListener('submit', (event) => event.preventDefault())
    // The browser empties the fields after the event.
    form.addEventListener('reset', () => setTimeout(changed))
  }

  /** Offers the events and routes of these requests to choose from. */
  offer(requests: readonly RequestSummary[]): void {
    const events = new Set(requests.flatMap((request) => request.events.map(({ name }) => name)))
    const routes = new Set(requests.map(routeOf))
    fillSelect(this.#select('event'), pairs(events))
    fillSelect(this.#select('route'), pairs(routes))
  }

  /** Whether the filters let a request through. */
  shows(request: RequestSummary): boolean {
    const fields = new FormData(this.#form)
    const chosen = (name: string) => String(fields.get(name) ?? '')
    const user = chosen('user').trim().toLowerCase()
    const event = chosen('event')
    const route = chosen('route')
    const outcome = chosen('outcome')
    const { userId = '', anonymousId = '', events } = request
    return (
      `${userId}\n${anonymousId}`.toLowerCase().includes(user) &&
      (route === '' || routeOf(request) === route) &&
      (outcome === NO_EVENTS
        ? events.length === 0 && event === ''
        : (event === '' && outcome === '') ||
          events.some(({ name, state }) => (event === '' || name === event) && isOutcome(state, outcome)))
    )
  }

  /** Focuses the first field, which may be folded away. */
  focus(): void {
    this.#form.closest('details')?.setAttribute('open', '')
    this.#form.querySelector('input')?.focus()
  }

  #select(name: string): HTMLSelectElement {
    const field = this.#form.elements.namedItem(name)
    if (!(field instanceof HTMLSelectElement)) throw new Error(`the form has no select ${name}`)
    return field
  }
}

function isOutcome(state: EventState, outcome: string): boolean {
  return outcome === '' || state === outcome
}

function routeOf({ method, route, path }: RequestSummary): string {
  return `${method} ${route ?? path}`
}

function pairs(values: ReadonlySet<string>): [string, string][] {
  return [...values].sort().map((value) => [value, value])
}

/** Sets a select's options if they differ; keeps the choice. */
function fillSelect(select: HTMLSelectElement, options: readonly (readonly [string, string])[]): void {
  const all = [['', 'any'] as const, ...options]
  const known = [...select.options].map(({ value }) => value)
  if (known.length === all.length && all.every(([value], index) => known[index] === value)) return
  const chosen = select.value
  select.replaceChildren(...all.map(([value, label]) => h('option', { value }, label)))
  select.value = all.some(([value]) => value === chosen) ? chosen : ''
}
