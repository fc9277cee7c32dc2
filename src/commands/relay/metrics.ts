import type { Waiting } from '../../delivery/index.js'
import { wallTime } from '../../support/clock.js'
import type { KeyRelay } from './relays.js'

/** The media type of Prometheus' text format. Source: Prometheus, "Exposition formats". */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** A metric, and its samples. */
interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One relay, as it is now. */
interface Snapshot extends KeyRelay {
  readonly labels: Readonly<Record<string, string>>
  readonly waiting: Waiting | undefined
  /** Whether calls get through. */
  readonly isUp: boolean
}

/**
 * Writes what relays count in Prometheus' text format. Where there are several, each sample says of which write key it is.
 *
 * What the outbox has, of all processes, is left out while it does not answer.
 */
export async function metricsOf(relays: readonly KeyRelay[]): Promise<string> {
  const isLabelled = relays.length > 1
  const snapshots = await Promise.all(relays.map((each) => snapshotOf(each, isLabelled)))
  return [...metricsOfRelays(snapshots), ...metricsOfProcess()].map(written).join('')
}

async function snapshotOf(each: KeyRelay, isLabelled: boolean): Promise<Snapshot> {
  const { state, outbox } = each.relay.health()
  const labels = { write_key: each.writeKeyHash, ...(each.name !== undefined && { source: each.name }) }
  return {
    ...each,
    labels: isLabelled ? labels : {},
    waiting: await each.relay.waiting(),
    isUp: state === 'ok' && outbox === 'ok',
  }
}

function metricsOfRelays(snapshots: readonly Snapshot[]): Metric[] {
  const of = (value: (snapshot: Snapshot) => number | undefined): Sample[] =>
    snapshots.flatMap((snapshot) => {
      const found = value(snapshot)
      return found === undefined ? [] : [{ labels: snapshot.labels, value: found }]
    })
  const now = wallTime()
  const failed = snapshots.flatMap(({ labels, relay }) =>
    Object.entries(relay.stats().calls.failed).map(([reason, value]) => ({
      labels: { ...labels, reason },
      value,
    })),
  )
  const gauge = (name: string, help: string, samples: Sample[]): Metric => ({
    name,
    type: 'gauge',
    help,
    samples,
  })
  const counter = (name: string, help: string, samples: Sample[]): Metric => ({
    name,
    type: 'counter',
    help,
    samples,
  })
  return [
    gauge(
      'reqtrack_relay_up',
      'Whether calls get through: 1 while Segment takes them and the outbox answers.',
      of(({ isUp }) => (isUp ? 1 : 0)),
    ),
    gauge(
      'reqtrack_relay_waiting_calls',
      'Calls in the outbox without an outcome, of all processes.',
      of(({ waiting }) => waiting?.calls),
    ),
    gauge(
      'reqtrack_relay_oldest_waiting_seconds',
      'Age of the oldest of them; 0 without one.',
      of(({ waiting }) => waiting && Math.max(0, now - (waiting.oldestAt ?? now)) / 1_000),
    ),
    gauge(
      'reqtrack_relay_pending_calls',
      'Calls that this relay has taken and that have no outcome yet.',
      of(({ relay }) => relay.stats().calls.pending),
    ),
    counter(
      'reqtrack_relay_calls_taken_total',
      'Calls that this relay has taken.',
      of(({ relay }) => relay.stats().calls.made),
    ),
    counter(
      'reqtrack_relay_calls_delivered_total',
      'Calls that Segment has accepted of this relay.',
      of(({ relay }) => relay.stats().calls.delivered),
    ),
    counter('reqtrack_relay_calls_failed_total', 'Calls that were given up, by reason.', failed),
    counter(
      'reqtrack_relay_requests_total',
      'Requests to Segment that have ended.',
      of(({ relay }) => relay.stats().requests.made),
    ),
    counter(
      'reqtrack_relay_requests_failed_total',
      'Those of them that Segment has not answered with success.',
      of(({ relay }) => relay.stats().requests.failed),
    ),
    counter(
      'reqtrack_relay_retries_total',
      'Those of them that carried a call whose request had failed before.',
      of(({ relay }) => relay.stats().requests.retried),
    ),
  ]
}

/** What Prometheus' own client libraries tell of a process. Source: Prometheus, "Writing client libraries". */
function metricsOfProcess(): Metric[] {
  const { user, system } = process.cpuUsage()
  const sample = (value: number): Sample[] => [{ labels: {}, value }]
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Total user and system CPU time spent in seconds.',
      samples: sample((user + system) / 1_000_000),
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory size in bytes.',
      samples: sample(process.memoryUsage.rss()),
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the process since unix epoch in seconds.',
      samples: sample(Math.round(wallTime() / 1_000 - process.uptime())),
    },
  ]
}

function written({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `${name}${writtenLabels(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function writtenLabels(labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return written.length === 0 ? '' : `{${written.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
