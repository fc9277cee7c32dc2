import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { planJudge } from '../../src/model/plan.js'
import { definePlan, type StandardSchema } from '../../src/plan/index.js'

/** What goes on of data that a plan has omitted something of; `undefined` where the event is dropped. */
async function omitted(schema: StandardSchema, data: unknown): Promise<{ data: unknown } | undefined> {
  const plan = definePlan({ events: { 'a b': schema }, invalid: 'omit' })
  const event = { name: 'a b', entity: 'a', action: 'b', data, context: {}, nested: [], custom: {} }
  const { outcome, changed } = await plan[planJudge].judge(event, undefined, (problem) => {
    throw new Error(problem)
  })
  return outcome === 'dropped' ? undefined : { data: changed ? changed.data : data }
}

/** A schema, and what it takes for right. */
interface Shape {
  readonly zod: z.ZodType
  readonly valibot: v.GenericSchema
}

const { shape: shapes } = fc.letrec<{ shape: Shape; object: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'shape' },
    fc.constantFrom<Shape>(
      { zod: z.string(), valibot: v.string() },
      { zod: z.number().min(0), valibot: v.pipe(v.number(), v.minValue(0)) },
      { zod: z.boolean(), valibot: v.boolean() },
      { zod: z.null(), valibot: v.null() },
      { zod: z.enum(['a', 'b']), valibot: v.picklist(['a', 'b']) },
    ),
    tie('object'),
    tie('shape').map((member): Shape => ({ zod: z.array(member.zod), valibot: v.array(member.valibot) })),
    tie('shape').map(
      (member): Shape => ({
        zod: z.record(z.string(), member.zod),
        valibot: v.record(v.string(), member.valibot),
      }),
    ),
  ),
  object: objectOf(tie('shape')),
}))

function objectOf(shape: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  const member = fc.record({ shape, isOptional: fc.boolean() })
  return fc
    .record({
      members: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd e'), member, {
        maxKeys: 4,
        noNullPrototype: true,
      }),
      isStrict: fc.boolean(),
    })
    .map(({ members, isStrict }) => {
      const entries = Object.entries(members)
      const zod = Object.fromEntries(
        entries.map(([key, { shape, isOptional }]) => [key, isOptional ? shape.zod.optional() : shape.zod]),
      )
      const valibot = Object.fromEntries(
        entries.map(([key, { shape, isOptional }]) => [
          key,
          isOptional ? v.optional(shape.valibot) : shape.valibot,
        ]),
      )
      return isStrict
        ? { zod: z.strictObject(zod), valibot: v.strictObject(valibot) }
        : { zod: z.object(zod), valibot: v.object(valibot) }
    })
}

const roots = objectOf(shapes)
const keys = fc.constantFrom('a', 'b', 'c', 'd e', '0', 'toString')
const data = fc.dictionary(keys, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
/** Data of the schemas' own names, so that more than the root is looked at. */
const likely = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    fc.constantFrom<unknown>('a', 'x', -1, 5, true, null),
    tie('object'),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
  object: fc.dictionary(keys, tie('value'), { maxKeys: 5, noNullPrototype: true }),
})).object
const subjects = fc.oneof(data, likely)

type Path = readonly PropertyKey[]

/** The places that a schema complains of, as zod has them. */
function complaints(schema: z.ZodType, value: unknown): Path[] {
  const { error } = schema.safeParse(value)
  return (error?.issues ?? []).flatMap((issue): Path[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  )
}

function isIn(value: unknown, path: Path): boolean {
  let place: unknown = value
  for (const key of path) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return false
    place = Reflect.get(place, key)
  }
  return true
}

/** The same data, made otherwise: deletes members one at a time, of lists from the back. */
function deleted(value: unknown, paths: readonly Path[]): unknown {
  const copy: unknown = structuredClone(value)
  const placeOf = (path: Path) => (typeof path.at(-1) === 'number' ? Number(path.at(-1)) : -1)
  const deepestFirst = [...paths].sort(
    (one, other) => other.length - one.length || placeOf(other) - placeOf(one),
  )
  for (const path of deepestFirst) {
    const owner = path.slice(0, -1).reduce<unknown>((place, key) => Reflect.get(Object(place), key), copy)
    const key = path.at(-1)
    if (Array.isArray(owner)) owner.splice(Number(key), 1)
    else if (key !== undefined) Reflect.deleteProperty(Object(owner), key)
  }
  return copy
}

/** Whether a value is another one without some of its members, their order kept. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part) && Array.isArray(whole)) {
    let from = 0
    return part.every((member) => {
      const found = whole.findIndex((other, index) => index >= from && isPartOf(member, other))
      from = found + 1
      return found >= 0
    })
  }
  if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
    return Object.entries(part).every(
      ([key, member]) => isIn(whole, [key]) && isPartOf(member, Reflect.get(Object(whole), key)),
    )
  }
  return part === whole
}

describe('omitting', () => {
  it('leaves no offending path, and everything else untouched', async () => {
    await fc.assert(
      fc.asyncProperty(roots, subjects, async ({ zod }, given) => {
        const before = structuredClone(given)
        const wrong = complaints(zod, given).filter((path) => isIn(given, path))
        const left = await omitted(zod, given)
        expect(given).toEqual(before)
        expect(left).toBeDefined()
        // What is complained of now is only missed.
        expect(complaints(zod, left?.data).filter((path) => isIn(left?.data, path))).toEqual([])
        expect(left?.data).toEqual(deleted(given, wrong))
      }),
      { numRuns: 2_000 },
    )
  })

  it('leaves none either where a library tells one unknown member at a time', async () => {
    await fc.assert(
      fc.asyncProperty(roots, subjects, async ({ valibot }, given) => {
        const left = await omitted(valibot, given)
        expect(left).toBeDefined()
        const { issues = [] } = v.safeParse(valibot, left?.data)
        const paths = issues.map(({ path = [] }) => path.map((step) => step.key as PropertyKey))
        expect(paths.filter((path) => isIn(left?.data, path))).toEqual([])
        expect(isPartOf(left?.data, given)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it('has its rounds bounded where somebody names hundreds of members', async () => {
    let asked = 0
    const inside = v.strictObject({ a: v.number() })
    const schema = v.object({ ok: v.string(), inside })
    const counting: StandardSchema = {
      '~standard': {
        ...schema['~standard'],
        validate: (value) => {
          asked++
          return schema['~standard'].validate(value)
        },
      },
    }
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`made up ${index}`, 1]))
    const left = await omitted(counting, { ok: 'yes', inside: { a: 1, ...many } })
    expect(left?.data).toEqual({ ok: 'yes' })
    expect(asked).toBeLessThan(30)
  })

  it('makes an end of a tuple whose places move', async () => {
    const schema = z.object({ pair: z.tuple([z.string(), z.number()]), ok: z.string() })
    expect(await omitted(schema, { pair: [1, 'x'], ok: 'yes' })).toEqual({ data: { ok: 'yes' } })
  })

  it('takes out a list that is too short for what it lost', async () => {
    const schema = z.object({ list: z.array(z.string()).min(2), ok: z.string() })
    expect(await omitted(schema, { list: ['a', 1], ok: 'yes' })).toEqual({ data: { ok: 'yes' } })
  })
})
