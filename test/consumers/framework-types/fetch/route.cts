import { createTracking } from 'reqtrack'
import { withTracking } from 'reqtrack/fetch'

const tracking = createTracking({ settings: { writeKey: 'KEY' } })

/** A CommonJS part of the same application. */
export const GET = withTracking(tracking, (request: Request) => {
  tracking.current()?.track('order complete', { total: 42 })
  // @ts-expect-error: a property is missing
  tracking.current()?.track('order complete', {})
  return new Response(request.url)
})
