// Runs the installed destination in walkerOS's own collector, imported and required.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { startFlow } from '@walkeros/collector'
import * as imported from 'reqtrack/destination'
import { createSegmentServer } from 'reqtrack/testing'

const required = createRequire(import.meta.url)('reqtrack/destination')

for (const code of [imported.default, imported.destinationSegment, required.destinationSegment]) {
  const segment = await createSegmentServer()
  const config = { settings: { writeKey: 'test-key', host: segment.url } }
  const { elb } = await startFlow({ destinations: { segment: { code, config } } })
  await elb({ name: 'order complete', user: { id: 'u-1' } })
  await elb('walker shutdown')
  assert.deepEqual(
    segment.calls.map(({ userId, event }) => [userId, event]),
    [['u-1', 'order complete']],
  )
  await segment.close()
}

// The client that walkerOS's own destination has left in its settings.
for (const { destroy } of [imported.destinationSegment, required.destinationSegment]) {
  const closed = []
  const _analytics = { closeAndFlush: async (options) => closed.push(options) }
  await destroy({ config: { settings: { writeKey: 'test-key', _analytics } } })
  assert.deepEqual(closed, [{ timeout: 5_000 }])
}
