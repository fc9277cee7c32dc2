import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyConfig } from '../../src/config/copy.js'
import { trackingConfigSchema } from '../../src/config/schema.js'
import { zodOf } from '../../src/destination/schemas/zod.js'
import { problemsOf, type Schema } from '../../src/support/schema/index.js'
import { valuesOf } from './generated-configs.js'

/** The schemas of all members inside of a schema, by where they stand first. */
function fieldsIn(schema: Schema, path: string, seen = new Set<Schema>()): [string, Schema][] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const inside = (of: Schema, at = path) => fieldsIn(of, at, seen)
  switch (schema.kind) {
    case 'list':
    case 'record':
      return inside(schema.of, `${path}[]`)
    case 'refined':
      return inside(schema.of)
    case 'lazy':
      return inside(schema.of())
    case 'union':
    case 'pair':
      return schema.of.flatMap((one) => inside(one))
    case 'object':
      return Object.entries(schema.members).flatMap(([name, member]) => {
        const at = path === '' ? name : `${path}.${name}`
        return [[at, member.schema] as [string, Schema], ...inside(member.schema, at)]
      })
    default:
      return []
  }
}

const fields = fieldsIn(trackingConfigSchema, '')

function takenBy(schema: Schema, value: unknown): { start: boolean; zod: boolean } {
  return { start: problemsOf(schema, value).length === 0, zod: zodOf(schema).safeParse(value).success }
}

describe('the zod schemas', () => {
  it('take the configurations that createTracking takes, and no others', () => {
    const seen = { right: 0, wrong: 0 }
    fc.assert(
      fc.property(valuesOf(trackingConfigSchema), (given) => {
        const { start, zod } = takenBy(trackingConfigSchema, copyConfig(given))
        seen[start ? 'right' : 'wrong']++
        expect(zod).toBe(start)
      }),
      { numRuns: 500 },
    )
    expect(Math.min(seen.right, seen.wrong)).toBeGreaterThan(50)
  })

  it('are there for every field', () => {
    expect(fields.length).toBeGreaterThan(80)
    expect(fields.map(([path]) => path)).toEqual(
      expect.arrayContaining([
        'settings.oauthSettings.clientKey',
        'settings.userId.loop',
        'mapping[][].settings.page',
        'request.context.page.query',
        'logger.level',
        'env.analytics',
        'delivery.outbox',
      ]),
    )
  })

  it.each(fields)('%s: take the same values, and expect others in the same words', (_path, schema) => {
    fc.assert(
      fc.property(valuesOf(schema), (given) => {
        const value = copyConfig(given)
        const { start, zod } = takenBy(schema, value)
        expect(zod).toBe(start)
      }),
      { numRuns: 60 },
    )
    const nothing = Symbol('nothing that any field takes')
    expect(problemsOf(schema, nothing).map(({ message }) => message)).toEqual([
      `given nothing that any field takes, ${zodOf(schema).safeParse(nothing).error?.issues[0]?.message}`,
    ])
  })
})
