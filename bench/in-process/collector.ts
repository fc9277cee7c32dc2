import { startFlow } from '@walkeros/collector'
import { destinationSegment } from '../../src/destination/index.js'
import { CATEGORIES, CONFIG, consentIn, MAPPING, ORDER } from '../shop.js'
import type { Work } from './measure.js'
import { HEADERS } from './requests.js'

/** The same event through walkerOS's own collector and this package's destination, up to the SDK's `track()`. */
export async function collected(events: number): Promise<Work<void>> {
  let calls = 0
  const count = () => {
    calls++
  }
  const analytics = { track: count, identify: count, group: count, page: count, screen: count }
  const { elb } = await startFlow({
    destinations: {
      segment: {
        code: destinationSegment,
        config: {
          settings: { writeKey: 'bench', consent: CATEGORIES, messageId: true },
          mapping: MAPPING,
          consent: CONFIG.consent,
        },
        env: { analytics },
      },
    },
  })
  return {
    prepare: () => {},
    async run() {
      const before = calls
      for (let event = 0; event < events; event++) {
        await elb({
          name: 'order complete',
          data: ORDER,
          user: { id: HEADERS['x-user-id'] ?? '' },
          consent: consentIn(HEADERS),
        })
      }
      if (calls - before !== events) throw new Error(`${events} events made ${calls - before} calls`)
    },
  }
}
