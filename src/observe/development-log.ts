import { Level, type Logger, type WalkerOS } from '@walkeros/core'
import type { SegmentCall } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'
import { nodeUtil } from '../support/node-modules.js'
import { lineOfCall, lineOfDrop } from './format-call.js'
import { type DropCircumstances, explainDrop, explainFailure } from './reasons.js'
import type { Reporter } from './reporter.js'
import type { DestinationStep, Sources, Step } from './step.js'

/** Of so many events and scopes that are under way it is known how far they came: a log needs no more. */
const MOST_KEPT = 1_000

/**
 * Writes a line for each call and each drop where somebody asked for it: with the level `DEBUG` to the log, with
 * `NODE_DEBUG=reqtrack` to standard error, as Node's own modules do. The lines hold what was tracked.
 */
export function openDevelopmentLog(reporter: Reporter, config: Logger.Config | undefined): void {
  const write = writerFor(reporter.logger, config?.level)
  if (!write) return
  const log = new DevelopmentLog(write)
  reporter.observation.watch((step) => log.see(step))
}

function writerFor(
  logger: Logger.Instance,
  level: Logger.Config['level'],
): ((line: string) => void) | undefined {
  if (level === 'DEBUG' || level === Level.DEBUG) return (line) => logger.debug(line)
  if (!process.env.NODE_DEBUG) return undefined
  const debug = nodeUtil().debuglog('reqtrack')
  // `%` in a line would be taken for a format.
  return debug.enabled ? (line) => debug('%s', line) : undefined
}

/** How far an event came. */
interface EventSoFar {
  readonly walkeros: WalkerOS.Event
  readonly sources: Sources
  rule?: string | undefined
  stopped?: DestinationStep
}

class DevelopmentLog {
  readonly #write: (line: string) => void
  readonly #events = new Map<string, EventSoFar>()
  readonly #ends = new Map<number, Pick<DropCircumstances, 'scope' | 'end'>>()

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  see(step: Step): void {
    switch (step.type) {
      case 'ended':
        return keep(this.#ends, step.request, { scope: step.scope, end: endOf(step) })
      case 'dispatching':
        return keep(this.#events, step.event, { walkeros: step.walkeros, sources: step.sources })
      case 'destination':
        return this.#passed(step)
      case 'called':
        return this.#write(lineOf(step.call))
      case 'repeated':
        return this.#write(`${lineOf(step.call)}  not sent: the same message is on its way already`)
      case 'dropped':
        return this.#dropped(step)
      case 'failed':
        return this.#write(
          `failed    ${lineOf(step.call)}  ${step.reason}: ${explainFailure(step.reason, step.detail)}`,
        )
      default:
        return
    }
  }

  #passed(step: Step & { type: 'destination' }): void {
    const event = this.#events.get(step.event)
    if (!event) return
    event.rule ??= step.rule
    if (step.outcome === 'dropped') event.stopped = step
  }

  #dropped({ request, event: messageId, name = '', reason }: Step & { type: 'dropped' }): void {
    const event = this.#events.get(messageId)
    this.#events.delete(messageId)
    const { walkeros, sources, stopped } = event ?? {}
    const why = explainDrop(reason, {
      ...this.#ends.get(request),
      ...(event?.rule !== undefined && { rule: event.rule }),
      ...(stopped?.required && { required: stopped.required }),
      ...(walkeros && { consent: walkeros.consent }),
      ...(sources && { readers: sources.consent }),
    })
    const ids = { userId: walkeros?.user?.id, anonymousId: walkeros?.user?.session }
    const data = isRecord(walkeros?.data) ? walkeros.data : {}
    this.#write(lineOfDrop(name, ids, data, `${reason}: ${why}`))
  }
}

function lineOf({ type, params }: SegmentCall): string {
  return lineOfCall({ type, ...params })
}

function endOf({ outcome, scope }: Step & { type: 'ended' }): string {
  if (outcome.status !== undefined) return `status ${outcome.status}`
  if (!outcome.aborted) return 'success'
  return scope === 'request' ? 'an abort' : 'an exception'
}

function keep<K, V>(kept: Map<K, V>, key: K, value: V): void {
  kept.set(key, value)
  if (kept.size <= MOST_KEPT) return
  const [oldest] = kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
}
