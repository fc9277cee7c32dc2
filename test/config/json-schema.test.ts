import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { configJsonSchema } from '../../scripts/config-schema.js'
import { trackingConfigSchema } from '../../src/config/schema.js'

const validate = new Ajv({ strict: false }).compile(configJsonSchema())

describe('the JSON schema of the configuration', () => {
  it('has every option, with its description', () => {
    const { properties } = configJsonSchema() as { properties: Record<string, { description?: string }> }
    for (const [name, { description }] of Object.entries(trackingConfigSchema.members))
      expect(properties[name]).toMatchObject({ description })
  })

  it.each<[string, object]>([
    ['the least', { settings: { writeKey: 'k' } }],
    [
      'one with all kinds of parts',
      {
        $schema: './node_modules/reqtrack/dist/config.schema.json',
        settings: {
          writeKey: 'k',
          host: 'https://events.eu1.segmentapis.com',
          consent: { marketing: 'Advertising' },
        },
        mapping: {
          order: { complete: { name: 'Order Completed', data: { map: { id: 'data.id' } } } },
          page: { '*': [{ skip: true }] },
        },
        consent: { analytics: true },
        delivery: { maxPending: 1000 },
        validate: { REQTRACK_NO_TRUST_PROXY: false },
        logger: { level: 'WARN' },
      },
    ],
  ])('takes %s', (_, config) => {
    expect(validate(config)).toBe(true)
  })

  it.each<[string, object]>([
    ['no write key', { settings: {} }],
    ['an unknown option', { settings: { writeKey: 'k', flushat: 1 } }],
    ['an option at the wrong place', { settings: { writeKey: 'k' }, flushAt: 20 }],
    ['a wrong type', { settings: { writeKey: 'k', flushAt: 'twenty' } }],
    [
      'a wrong part of a rule',
      { settings: { writeKey: 'k' }, mapping: { order: { complete: { ignore: 'yes' } } } },
    ],
  ])('refuses %s', (_, config) => {
    expect(validate(config)).toBe(false)
  })
})
