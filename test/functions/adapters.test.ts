import { expect, it } from 'vitest'
import type { Outcome } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { gatewayContext, gatewayEvent } from './fixtures/gateway-event.js'
import { adapters } from './fixtures/lambda-functions.js'

it.each(Object.entries(adapters))(
  '%s: a function’s request has its visitor, its context and its outcome',
  async (_, adapter) => {
    const outcomes: Outcome[] = []
    const tracking = recordTracking({
      dispatch(outcome) {
        outcomes.push(outcome)
        return true
      },
    })
    const answer = adapter(tracking, (tracker) => tracker.track('order complete', { total: 42 }))
    expect(await answer(gatewayEvent(), gatewayContext(1))).toMatchObject({ statusCode: 201 })
    await tracking.settled()
    expect(outcomes).toMatchObject([{ status: 201, aborted: false }])
    expect(tracking.calls).toMatchObject([
      {
        event: 'order complete',
        anonymousId: 'a-1',
        properties: { total: 42 },
        context: {
          ip: '203.0.113.7',
          userAgent: 'agent 7',
          page: { url: 'https://shop.example/orders?utm_source=mail' },
          campaign: { source: 'mail' },
        },
      },
    ])
  },
)
