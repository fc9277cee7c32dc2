// Without events of its own an application can map and track any name.
import { createTracking, type Rules, segmentEcommerce, type Tracker } from 'reqtrack'

const settings = { writeKey: 'KEY' }

export const mapping: Rules = {
  anything: { 'at all': { condition: (_, { event }) => Number(event.data?.total) > 1, data: 'data.total' } },
  Subscribed: { '*': [{ sample: 0.1 }, { ignore: true }] },
}

createTracking({ settings, mapping })
createTracking({ settings, mapping: { ...segmentEcommerce(), anything: { goes: {} } } })
createTracking({
  settings,
  mapping: {
    // @ts-expect-error: no such field
    order: { complete: { nam: 'Order Completed' } },
  },
})
createTracking({
  settings,
  mapping: {
    // @ts-expect-error: a share is a number
    order: { complete: { sample: '10%' } },
  },
})

export function whole(tracker: Tracker): void {
  tracker.track({ name: 'anything goes', data: { total: 1 } })
  tracker.track({ name: 'anything goes' })
  // @ts-expect-error: the name is missing
  tracker.track({ data: { total: 1 } })
  // @ts-expect-error: data is an object
  tracker.track({ name: 'anything goes', data: 1 })
}
