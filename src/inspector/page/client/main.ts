import type { RequestSummary, RequestView, Update } from '../../view.js'
import { Detail } from './detail.js'
import { byId } from './dom.js'
import { Filters } from './filters.js'
import { foldOnNarrowScreens } from './folds.js'
import { RequestList } from './list.js'
import { showTotals } from './totals.js'

// The page may be mounted anywhere, with or without a trailing slash.
const base = location.pathname.replace(/\/?$/, '/')
const list = new RequestList()
const detail = new Detail()
const filters = new Filters(() => list.filter(filters))
const pause = byId('pause')
const state = byId('state')

let capacity = 0
let connected = false
/** Whether the next message is a snapshot rather than a change. */
let begins = true
/** Requests received while paused; `undefined` while live. */
let held: Map<number, RequestSummary> | undefined
let heldUpdate: Update | undefined
/** Whether the list is from an earlier connection. */
let isStale = false

function connect(): void {
  const stream = new EventSource(`${base}stream`)
  stream.onopen = () => {
    begins = true
    connected = true
    showState()
  }
  stream.onmessage = ({ data }) => {
    const update: Update = JSON.parse(data)
    if (begins) begin()
    take(update)
    if (begins) void show()
    begins = false
  }
  stream.onerror = () => {
    connected = false
    showState()
    // The browser does not reconnect a refused stream by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000)
  }
}

/** Starts over: the server may have restarted and lost its requests. */
function begin(): void {
  held?.clear()
  if (held) isStale = true
  else list.clear()
}

function take(update: Update): void {
  if (held) {
    for (const summary of update.requests) held.set(summary.number, summary)
    heldUpdate = update
    showState()
    return
  }
  capacity = update.capacity
  list.update(update.requests, capacity)
  filters.offer(list.all())
  list.filter(filters)
  showTotals(update.totals)
  const open = openNumber()
  if (open !== undefined && update.requests.some(({ number }) => number === open)) void load(open)
}

function openNumber(): number | undefined {
  const number = /^#(\d{1,15})$/.exec(location.hash)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** Shows the request that the address names, and focuses it. */
async function navigate(): Promise<void> {
  await show()
  if (openNumber() === undefined || (document.activeElement?.closest('#list') && !isNarrow())) return
  detail.focus()
}

/** Shows the request that the address names, or none. */
async function show(): Promise<void> {
  const number = openNumber()
  document.body.classList.toggle('opened', number !== undefined)
  list.mark(number)
  if (number === undefined) return detail.clear()
  await load(number)
}

async function load(number: number): Promise<void> {
  const response = await fetch(`${base}api/requests/${number}`).catch(() => undefined)
  if (number !== openNumber()) return
  if (response?.ok) {
    const view: RequestView = await response.json()
    detail.show(view)
  } else if (response?.status === 404) {
    detail.showMissing(number, capacity)
  }
}

function isNarrow(): boolean {
  return matchMedia('(max-width: 900px)').matches
}

function showState(): void {
  const waiting = held && held.size > 0 ? ` (${held.size} new)` : ''
  pause.textContent = held ? `Resume${waiting}` : 'Pause'
  const text = !connected ? 'disconnected, trying again' : held ? 'paused' : 'live'
  state.className = `connection ${connected ? (held ? 'paused' : 'live') : 'lost'}`
  if (state.textContent !== text) state.textContent = text
}

function togglePause(): void {
  if (held) {
    const missed = [...held.values()]
    held = undefined
    if (isStale) list.clear()
    isStale = false
    if (heldUpdate) take({ ...heldUpdate, requests: missed })
    heldUpdate = undefined
  } else {
    held = new Map()
  }
  showState()
}

function close(): void {
  const number = openNumber()
  if (number === undefined) return
  history.pushState(undefined, '', location.pathname + location.search)
  void navigate()
  list.focus(number)
}

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') return close()
  const { target } = event
  if (target instanceof HTMLElement && target.closest('input, select, textarea')) return
  const action = {
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    j: () => list.move(1),
    k: () => list.move(-1),
    p: togglePause,
    '/': () => filters.focus(),
  }[event.key]
  if (!action) return
  // In the details, the arrow keys go on scrolling.
  if (event.key.startsWith('Arrow') && target instanceof Element && target.closest('#detail')) return
  event.preventDefault()
  action()
}

pause.addEventListener('click', togglePause)
addEventListener('keydown', pressed)
addEventListener('hashchange', () => void navigate())
foldOnNarrowScreens()
list.filter(filters)
connect()
