import type { Totals } from '../../view.js'
import { columns, rankedBars, stackedBar } from './charts.js'
import { byId, h } from './dom.js'
import { clock, counted } from './words.js'

/** Shows the totals: rates, ledger and reasons. */
export function showTotals({ events, calls, requests, health, minutes, outbox }: Totals): void {
  const now = minutes.at(-1)
  const dropped = sum(events.dropped)
  const failed = sum(calls.failed)
  const reasons = [
    ...Object.entries(events.dropped).map(([label, value]) => ({ label, value, tone: 'dropped' })),
    ...Object.entries(calls.failed).map(([reason, value]) => ({
      label: `failed: ${reason}`,
      value,
      tone: 'failed',
    })),
  ]
  byId('totals').replaceChildren(
    card(
      'Events a minute',
      thisMinute(now?.tracked ?? 0, 'event'),
      columns(
        `Events tracked in each of the last ${minutes.length} minutes`,
        minutes.map((minute) => [
          { label: 'dispatched', value: Math.max(0, minute.tracked - minute.dropped), tone: 'accent' },
          { label: 'dropped', value: minute.dropped, tone: 'dropped' },
        ]),
      ),
      note(`each bar is one of the last ${minutes.length} minutes`),
    ),
    card(
      'Deliveries a minute',
      thisMinute(now?.delivered ?? 0, 'call'),
      columns(
        `Calls delivered, failed and tried again in each of the last ${minutes.length} minutes`,
        minutes.map((minute) => [
          { label: 'delivered', value: minute.delivered, tone: 'delivered' },
          { label: 'retries', value: minute.retries, tone: 'retrying' },
          { label: 'failed', value: minute.failed, tone: 'failed' },
        ]),
      ),
      note(
        `${counted(requests.sent, 'request')} to Segment, ${requests.unsuccessful} unsuccessful · delivery: ${health}`,
      ),
    ),
    card(
      'Ledger',
      [`${counted(events.tracked, 'event')}, ${counted(calls.made, 'call')}`],
      stackedBar('Events', [
        { label: 'dispatched', value: events.dispatched, tone: 'accent' },
        { label: 'open', value: events.open, tone: 'pending' },
        { label: 'dropped', value: dropped, tone: 'dropped' },
      ]),
      stackedBar('Calls', [
        { label: 'delivered', value: calls.delivered, tone: 'delivered' },
        { label: 'pending', value: calls.pending, tone: 'pending' },
        ...(calls.relayed > 0 ? [{ label: 'relayed', value: calls.relayed, tone: 'accent' }] : []),
        { label: 'failed', value: failed, tone: 'failed' },
      ]),
      outbox !== undefined && note(inOutbox(outbox)),
    ),
    card(
      'Dropped, by reason',
      [counted(dropped, 'event')],
      dropped + failed > 0 ? rankedBars(reasons) : note('Nothing was dropped.'),
      calls.deduplicated > 0 &&
        note(
          `${counted(calls.deduplicated, 'call')} spared: Segment knew the same already, or was about to.`,
        ),
      calls.withheld > 0 && note(`${counted(calls.withheld, 'call')} withheld by beforeSend.`),
    ),
  )
}

function inOutbox({ calls, oldestAt }: NonNullable<Totals['outbox']>): string {
  const since = oldestAt === undefined ? '' : `, the oldest since ${clock(oldestAt)}`
  return `In the outbox, of all processes: ${counted(calls, 'call')}${since}.`
}

function card(
  title: string,
  figure: readonly (string | Node)[],
  ...children: readonly (Node | false)[]
): HTMLElement {
  return h('div', { class: 'card' }, h('h2', {}, title), h('p', { class: 'figure' }, ...figure), ...children)
}

/** The count of the current minute, which is not over yet. */
function thisMinute(count: number, one: string): (string | Node)[] {
  return [counted(count, one), h('span', {}, ' this minute')]
}

function note(text: string): HTMLElement {
  return h('p', { class: 'note' }, text)
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
