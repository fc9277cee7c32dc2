import { describe, expect, it } from 'vitest'
import { ConfigError, createTracking, type TrackingConfig } from '../../src/index.js'
import { requestsOf } from '../support/servers.js'

const unsent: [string, unknown][] = [
  ['disabled, with an empty key', { settings: { writeKey: '' }, disabled: true }],
  ['disable, with an empty key', { settings: { writeKey: '', disable: true } }],
  ['disable, without a key', { settings: { disable: true } }],
  ['disabled, without settings', { disabled: true }],
]

describe('a configuration that sends nothing', () => {
  it.each(unsent)('needs no write key: %s', async (_name, config) => {
    const tracking = createTracking(config as TrackingConfig)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('order complete'))
    await tracking.shutdown()
    expect(tracking.stats().events.dropped.disabled).toBe(1)
  })

  it.each([
    ['an empty key', { settings: { writeKey: '' } }],
    ['no key', { settings: {}, disabled: false }],
    ['a key that is no text, although disabled', { settings: { writeKey: 7 }, disabled: true }],
  ])('is the only one: %s is refused', (_name, config) => {
    expect(() => createTracking(config as never)).toThrow(ConfigError)
  })

  it('has its other mistakes refused all the same', () => {
    expect(() => createTracking({ disabled: true, settings: { flushat: 1 } } as never)).toThrow(
      /did you mean flushAt/,
    )
  })
})
