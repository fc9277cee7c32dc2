import { AnalyticsBrowser } from '@segment/analytics-next'

// A page with Segment's analytics.js from npm, pointed at the application's own endpoint. It asks nothing of Segment's hosts.
const endpoint = {
  apiKey: 'a-key-of-the-page',
  apiHost: `${location.host}/collect`,
  protocol: location.protocol.slice(0, -1),
}
const isBatching = new URLSearchParams(location.search).has('batching')
const strategy = { deliveryStrategy: { strategy: 'batching', config: { size: 10, timeout: 60_000 } } }
const [analytics] = await AnalyticsBrowser.load({
  writeKey: endpoint.apiKey,
  cdnSettings: { integrations: { 'Segment.io': { ...endpoint, ...(isBatching && strategy) } } },
})
Object.assign(window, { analytics })
document.body.dataset.ready = 'true'
