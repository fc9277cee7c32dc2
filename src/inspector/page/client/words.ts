import type { EventState, StageName, StageState } from '../../view.js'

/** The name of each event state. */
export const STATES: Readonly<Record<EventState, string>> = {
  delivered: 'delivered',
  pending: 'pending',
  retrying: 'retrying',
  failed: 'failed',
  dropped: 'dropped',
  known: 'known already',
  open: 'open',
}

/** A sign for each state, so that colour is never the only difference. */
export const SIGNS: Readonly<Record<EventState | StageState, string>> = {
  delivered: '✓',
  passed: '✓',
  flagged: '!',
  known: '=',
  pending: '…',
  waiting: '…',
  open: '…',
  retrying: '↻',
  failed: '✕',
  dropped: '✕',
  stopped: '✕',
  unreached: '',
}

export const STAGES: Readonly<Record<StageName, string>> = {
  tracked: 'Tracked',
  plan: 'Plan',
  consent: 'Consent',
  mapping: 'Mapping',
  identity: 'Identity',
  deduplication: 'De-duplication',
  calls: 'Calls',
  delivery: 'Delivery',
}

const time = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})

/** The time of day. */
export function clock(at: number): string {
  return time.format(at)
}

/** A duration, rounded to a useful precision. */
export function duration(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`
}

/** A count with its noun. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
