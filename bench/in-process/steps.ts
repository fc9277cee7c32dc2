import { createLogger, Level } from '@walkeros/core'
import { isGranted } from '../../src/destination/consent.js'
import { Deduplication } from '../../src/destination/deduplication.js'
import { produceData } from '../../src/destination/event-data.js'
import { compileValue, type MappingScope } from '../../src/destination/mapping-value.js'
import { Pipeline } from '../../src/destination/pipeline.js'
import { compileRules } from '../../src/destination/rules.js'
import { type CollectedEvent, collectEvent, completeEvent } from '../../src/model/event.js'
import { identityOf, toId } from '../../src/model/identity.js'
import { MessageRequest, nodeFramework } from '../../src/request/message-request.js'
import { toSegmentContext } from '../../src/request/segment-context.js'
import { SenderReader } from '../../src/request/sender.js'
import { isPromise } from '../../src/support/maybe.js'
import { CONFIG, MAPPING, ORDER } from '../shop.js'
import { type Cost, costOf, inTurns, sink } from './measure.js'
import { exchange } from './requests.js'

const silent = () => {}
const nobody = { incomplete: silent }
const logger = createLogger({ level: Level.ERROR })
const collector = { consent: {}, globals: {} } as MappingScope['collector']
const completion = {
  person: { userId: 'user-4711', anonymousId: undefined, details: undefined },
  consent: { analytics: true, marketing: false },
  trace: '0af7651916cd43dd8448eb211c80319c',
  startedAt: Date.now(),
}

/** One step of an event's way, as a function that takes the step once. */
export const STEPS = {
  collect: () => collectEvent({ name: 'order complete', data: ORDER }, undefined, nobody),
  build: () => completeEvent(collected, completion),
  context: () => requestContext && toSegmentContext(requestContext, event.consent),
  gate: () => isGranted(CONFIG.consent, event.consent),
  map: () => {
    const match = findRule(event, scope)
    if (isPromise(match)) return
    return produceData(event, event, dataConfig, match?.compiled, scope)
  },
  identity: () => identityOf(toId(readers.userId(event, scope)), toId(readers.anonymousId(event, scope))),
  deduplicate: () => deduplication.identify({ userId: 'user-4711' }, TRAITS),
  /** From the gate to the calls: the four steps above, and making the calls. */
  destination: () => pipeline.process({ event, messageId: collected.messageId, context: {} }),
} satisfies Record<string, () => unknown>

const TRAITS = { email: 'ada@example.com', plan: 'pro' }
const collected = taken(collectEvent({ name: 'order complete', data: ORDER }, undefined, nobody))
const event = completeEvent(collected, completion)
const scope: MappingScope = { event, consent: event.consent, collector, logger, plain: true }
const findRule = compileRules(MAPPING)
const dataConfig = { data: undefined, otherwise: undefined, include: undefined }
const readers = { userId: compileValue('user.id'), anonymousId: compileValue('user.session') }
const deduplication = new Deduplication()
const pipeline = new Pipeline(CONFIG, { scope: { collector, logger, plain: true }, dataAsProperties: true })
const sender = new SenderReader(CONFIG.request, silent)
const { request } = exchange()
const requestContext = sender.context(new MessageRequest(nodeFramework, request, request))

/** What each step costs an event. */
export async function measureSteps(rounds: number, times: number): Promise<Record<string, Cost[]>> {
  const works = Object.entries(STEPS).map(([name, step]): [string, () => Promise<Cost>] => {
    const run = () => {
      for (let time = 0; time < times; time++) sink.last = step()
    }
    return [name, () => costOf({ prepare: silent, run }, times)]
  })
  return inTurns(Object.fromEntries(works), rounds, Math.min(2 * rounds, 20))
}

function taken(event: ReturnType<typeof collectEvent>): CollectedEvent {
  if ('refused' in event) throw new Error(event.problem)
  return event
}
