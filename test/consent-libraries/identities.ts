import {
  amplitudeCookie,
  mixpanelCookie,
  postHogCookie,
  rudderStackCookie,
  segmentCookie,
  snowplowCookie,
} from '../../src/index.js'
import { comeBack, type Library, run, type State } from './library.js'

/** The states of a library that gives a visitor an id. */
function statesOf(id: string, identify: string, isIdLost = false): State[] {
  const asked = run(id)
  return [
    { name: 'first visit', steps: [], expected: asked },
    { name: 'second visit', steps: [comeBack()], expected: asked },
    { name: 'identified', steps: [run(identify)], expected: isIdLost ? undefined : asked },
  ]
}

const segment: Library = {
  packages: [{ name: '@segment/analytics-next', version: '1.84.3' }],
  setup: `const [analytics] = await library.AnalyticsBrowser.load({ writeKey: 'key' })
    window.analytics = analytics; analytics.user().anonymousId()`,
  answers: { '/settings': { integrations: { 'Segment.io': { apiKey: 'key' } } } },
  reads: 'segmentCookie()',
  reader: segmentCookie(),
  states: [
    ...statesOf('analytics.user().anonymousId()', "void analytics.identify('user-1')"),
    {
      name: 'reset',
      steps: [
        run("void analytics.identify('user-1')"),
        run('analytics.reset(), analytics.user().anonymousId()'),
      ],
      expected: run('analytics.user().anonymousId()'),
    },
  ],
}

const amplitude: Library = {
  packages: [{ name: '@amplitude/analytics-browser', version: '2.48.1' }],
  setup: `await library.init('0123456789abcdef', undefined, { autocapture: false, serverUrl: location.origin + '/amplitude',
    fetchRemoteConfig: false, remoteConfig: { fetchRemoteConfig: false } }).promise`,
  reads: 'amplitudeCookie()',
  reader: amplitudeCookie(),
  states: statesOf('library.getDeviceId()', "library.setUserId('user@example.org')"),
}

const postHogPage = `window.posthog = library.default
  await new Promise((loaded) => posthog.init('phc_key', { api_host: location.origin, persistence: 'localStorage+cookie',
    autocapture: false, capture_pageview: false, disable_session_recording: true, advanced_disable_flags: true,
    advanced_disable_decide: true, loaded }))`

const postHog: Library = {
  packages: [{ name: 'posthog-js', version: '1.449.2' }],
  setup: postHogPage,
  reads: 'postHogCookie()',
  reader: postHogCookie(),
  states: statesOf("posthog.get_property('$device_id')", "posthog.identify('user@example.org')"),
}

/** Until 1.310 the cookie has no `$device_id`, so that only the user's own id is in it after `identify()`. */
const postHogBefore: Library = {
  packages: [{ name: 'posthog-js', version: '1.309.1', latest: '1.309.1', as: 'posthog-js-before-1.310' }],
  setup: postHogPage,
  reads: 'postHogCookie()',
  reader: postHogCookie(),
  states: statesOf("posthog.get_property('$device_id')", "posthog.identify('user@example.org')", true),
}

const mixpanel: Library = {
  packages: [{ name: 'mixpanel-browser', version: '2.83.0' }],
  setup: `window.mixpanel = library.default
    mixpanel.init('token', { api_host: location.origin, persistence: 'cookie', autocapture: false })`,
  reads: 'mixpanelCookie()',
  reader: mixpanelCookie(),
  states: statesOf("mixpanel.get_property('$device_id')", "mixpanel.identify('user@example.org')"),
}

const rudderStack: Library = {
  packages: [{ name: '@rudderstack/analytics-js', version: '3.34.1' }],
  setup: `window.rudder = new library.RudderAnalytics()
    await new Promise((onLoaded) => rudder.load('key', 'https://data.example', { configUrl: 'https://config.example', onLoaded, storage: { type: 'cookieStorage' } }))`,
  answers: {
    '/sourceConfig': {
      source: {
        id: 'source',
        name: 'shop',
        writeKey: 'key',
        enabled: true,
        workspaceId: 'workspace',
        config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
        connections: [],
        destinations: [],
        dataplanes: {},
      },
    },
  },
  reads: 'rudderStackCookie()',
  reader: rudderStackCookie(),
  states: statesOf('rudder.getAnonymousId()', "void rudder.identify('user-1')"),
}

const snowplow: Library = {
  packages: [{ name: '@snowplow/browser-tracker', version: '4.10.1' }],
  setup: `window.tracker = library.newTracker('sp', location.origin, { appId: 'shop', stateStorageStrategy: 'cookie', cookieSecure: false })
    library.trackPageView()`,
  reads: 'snowplowCookie()',
  reader: snowplowCookie(),
  states: statesOf('tracker.getDomainUserId()', "library.setUserId('user-1')"),
}

/** Libraries that give visitors an id. */
export const identities: readonly Library[] = [
  segment,
  amplitude,
  postHog,
  postHogBefore,
  mixpanel,
  rudderStack,
  snowplow,
]
