import { afterEach, describe, expect, it, vi } from 'vitest'
import { cookiebot, type TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function logged(nodeEnv: string, config: Omit<TrackingConfig, 'settings'> = {}) {
  vi.stubEnv('NODE_ENV', nodeEnv)
  const lines: string[] = []
  const tracking = trackingTo(await segmentServer(), {
    ...config,
    logger: {
      handler: (level, message, context) => lines.push(`${level} ${message} ${JSON.stringify(context)}`),
    },
  })
  return { lines, tracking, inRequest: await requestsOf(tracking) }
}

const gated: Omit<TrackingConfig, 'settings'> = {
  consent: { analytics: true, marketing: true },
  request: { consent: cookiebot() },
}
/** Somebody whose data would be seen in a line. */
const somebody = { cookie: 'ajs_anonymous_id=Secret; session=Secret', 'user-agent': 'Secret' }

describe('in development, a drop that is new to the developer', () => {
  it('says once that nobody was identified, and how to change that', async () => {
    const { lines, tracking, inRequest } = await logged('development')
    for (let times = 0; times < 3; times++) {
      await inRequest((tracker) => tracker.track('order complete', { email: 'Secret' }))
      await tracking.flush()
    }
    expect(tracking.stats().events.dropped.identity).toBe(3)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^0 the event "order complete" was dropped \(identity\)/)
    expect(lines[0]).toContain('segmentCookie({ create })')
    expect(lines[0]).not.toContain('Secret')
  })

  it('says once that no consent is known, which was needed, and how to change that', async () => {
    const { lines, tracking, inRequest } = await logged('development', gated)
    for (const name of ['order complete', 'page view']) {
      await inRequest((tracker) => tracker.track(name, { email: 'Secret' }), somebody)
      await tracking.flush()
    }
    expect(tracking.stats().events.dropped.consent).toBe(2)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^0 the event "order complete" was dropped \(consent\): .*analytics or marketing/,
    )
    expect(lines[0]).toContain('request.consent')
    expect(lines[0]).not.toContain('Secret')
  })

  it('says nothing of a refusal, which is as it should be', async () => {
    const { lines, tracking, inRequest } = await logged('development', gated)
    await inRequest((tracker) => {
      tracker.consent({ analytics: false })
      tracker.track('order complete')
    }, somebody)
    await tracking.flush()
    expect(tracking.stats().events.dropped.consent).toBe(1)
    expect(lines).toEqual([])
  })

  it.each(['production', 'test', ''])('says nothing with NODE_ENV=%s', async (nodeEnv) => {
    const { lines, tracking, inRequest } = await logged(nodeEnv, gated)
    await inRequest((tracker) => tracker.track('order complete'), visitor('a1'))
    await inRequest((tracker) => {
      tracker.consent({ analytics: true })
      tracker.track('order complete')
    })
    await tracking.flush()
    expect(tracking.stats().events.dropped).toMatchObject({ consent: 1, identity: 1 })
    expect(lines).toEqual([])
  })
})
