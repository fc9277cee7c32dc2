import { serve } from '../processes.js'
import { collected } from './collector.js'
import { measureGrowth, measurePeople } from './growth.js'
import { type Cost, costOf, inTurns } from './measure.js'
import { heapAfterPeople } from './memory.js'
import { measureSteps } from './steps.js'
import { type Handler, handled, idle, ran, stubbed, trackOrder, untracked } from './whole-way.js'

const EVENTS = 960
/** Of a request that tracks many, so that what a request costs by itself hardly counts. */
const EVENTS_A_REQUEST = 96
const ROOM = { delivery: { maxPending: 1_000_000 } }

const commands = {
  steps: ({ rounds }: { rounds: number }) => measureSteps(rounds, EVENTS),
  async way({ rounds }: { rounds: number }): Promise<Record<string, Cost[]>> {
    const withRule = stubbed(ROOM)
    const without = stubbed({ ...ROOM, mapping: {} })
    const one = { requests: EVENTS, calls: EVENTS }
    const many = { requests: EVENTS / EVENTS_A_REQUEST, calls: EVENTS }
    const trackMany: Handler = (tracker, request) => {
      for (let event = 0; event < EVENTS_A_REQUEST; event++) trackOrder(tracker, request)
    }
    const through = await collected(EVENTS)
    return inTurns(
      {
        'event, rule': () => costOf(handled(withRule, trackMany, many), EVENTS),
        'event, no rule': () => costOf(handled(without, trackMany, many), EVENTS),
        'event, collector': () => costOf(through, EVENTS),
        'request, rule': () => costOf(handled(withRule, trackOrder, one), EVENTS),
        'request, no rule': () => costOf(handled(without, trackOrder, one), EVENTS),
        'run, rule': () => costOf(ran(withRule, trackOrder, one), EVENTS),
        'request, idle': () => costOf(idle(withRule.tracking, EVENTS), EVENTS),
        'no tracking': () => costOf(untracked(EVENTS), EVENTS),
      },
      rounds,
      Math.min(2 * rounds, 20),
    )
  },
  growth: ({ rounds, events }: { rounds: number; events: number }) => measureGrowth(rounds, events),
  people: ({ most }: { most: number }) => measurePeople(most),
  heap: ({ people, tracked }: { people: number; tracked: boolean }) => heapAfterPeople(people, tracked),
}

export type InProcessCommands = typeof commands

serve(commands)
