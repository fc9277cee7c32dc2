/** A rule as Segment's Public API exports it. */
export function rule(type: string, key: string | null, own: object = {}, more: object = {}) {
  const member = type === 'IDENTIFY' || type === 'GROUP' ? 'traits' : 'properties'
  const jsonSchema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    labels: { team: 'shop' },
    description: `About ${key}.`,
    properties: { context: {}, traits: {}, properties: {}, [member]: { type: 'object', ...own } },
    ...more,
  }
  return { type, key, version: 1, jsonSchema }
}

/** A rule for an order. */
export const ORDER = rule('TRACK', 'Order Completed', {
  required: ['order_id', 'items'],
  properties: {
    order_id: { type: 'string', description: 'As in the shop.', labels: {}, unknownKeyword: 1 },
    revenue: { type: ['number', 'null'] },
    ordered_at: { type: 'string', format: 'date-time' },
    items: {
      type: 'array',
      items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
    },
  },
})

/** What holds for all. */
export const COMMON = rule('COMMON', null, {
  required: ['tenant'],
  properties: { tenant: { enum: ['a', 'b'] } },
})
