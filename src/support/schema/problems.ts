import { given } from '../given.js'
import { explainKey } from '../unknown-key.js'
import type { NumberKind, ObjectKind, Schema } from './schema.js'

type Path = readonly PropertyKey[]
type Of<K extends Schema['kind']> = Extract<Schema, { readonly kind: K }>

/** What is wrong with a value, or with one inside of it. */
export interface Problem {
  readonly path: Path
  /** What was given, what was expected, and what to do. Of values it quotes numbers and booleans only. */
  readonly message: string
  /** Whether the value is of its schema's kind, so that only a condition beyond that is not met. */
  readonly isOfKind: boolean
}

/** Holds a value against a schema. No problem means that the schema takes it. */
export function problemsOf(schema: Schema, value: unknown): readonly Problem[] {
  const problems: Problem[] = []
  check(schema, value, [], problems)
  return problems
}

function check(schema: Schema, value: unknown, path: Path, problems: Problem[]): void {
  switch (schema.kind) {
    case 'list':
    case 'pair':
      return checkList(schema, value, path, problems)
    case 'record':
      return checkRecord(schema, value, path, problems)
    case 'object':
      return checkObject(schema, value, path, problems)
    case 'union':
      return checkUnion(schema, value, path, problems)
    case 'lazy':
      return check(schema.of(), value, path, problems)
    case 'refined':
      return checkRefined(schema, value, path, problems)
    default:
      if (!accepts(schema, value)) problems.push(wrong(value, schema.expected, path))
  }
}

function accepts(schema: Of<'text' | 'number' | 'boolean' | 'constant' | 'opaque'>, value: unknown): boolean {
  switch (schema.kind) {
    case 'text':
      return typeof value === 'string' && (schema.pattern?.test(value) ?? true)
    case 'number':
      return typeof value === 'number' && isWithin(value, schema)
    case 'boolean':
      return typeof value === 'boolean'
    case 'constant':
      return schema.values.some((one) => one === value)
    case 'opaque':
      return schema.accepts(value)
  }
}

function isWithin(value: number, { isInteger = false, above, least, most }: NumberKind): boolean {
  return (
    (isInteger ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    (above === undefined || value > above) &&
    (least === undefined || value >= least) &&
    (most === undefined || value <= most)
  )
}

function checkList(schema: Of<'list' | 'pair'>, value: unknown, path: Path, problems: Problem[]): void {
  const isPair = schema.kind === 'pair'
  if (!Array.isArray(value) || (isPair && value.length !== 2)) {
    problems.push(wrong(value, schema.expected, path))
    return
  }
  for (const [index, entry] of value.entries()) {
    const of = isPair ? schema.of[index] : schema.of
    if (of) check(of, entry, [...path, index], problems)
  }
}

function checkRecord(schema: Of<'record'>, value: unknown, path: Path, problems: Problem[]): void {
  if (!isObject(value)) {
    problems.push(wrong(value, schema.expected, path))
    return
  }
  for (const [key, member] of Object.entries(value)) {
    const at = [...path, key]
    if (schema.keys && !schema.keys.pattern.test(key)) {
      problems.push({ path: at, message: schema.keys.problem, isOfKind: true })
    } else {
      check(schema.of, member, at, problems)
    }
  }
}

function checkObject(schema: Schema & ObjectKind, value: unknown, path: Path, problems: Problem[]): void {
  if (!isObject(value)) {
    problems.push(wrong(value, schema.expected, path))
    return
  }
  for (const [key, { schema: of, isOptional }] of Object.entries(schema.members)) {
    const member = Object.hasOwn(value, key) ? value[key] : undefined
    if (member !== undefined || !isOptional) check(of, member, [...path, key], problems)
  }
  if (schema.isOpen) return
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(schema.members, key)) continue
    problems.push({ path: [...path, key], message: explainKey(key, schema.keys), isOfKind: true })
  }
}

/** Reports the problems of the alternative that was meant: the value is of its kind, and what is wrong lies further inside. */
function checkUnion(schema: Of<'union'>, value: unknown, path: Path, problems: Problem[]): void {
  let meant: readonly Problem[] | undefined
  for (const alternative of schema.of) {
    const found: Problem[] = []
    check(alternative, value, path, found)
    if (found.length === 0) return
    if (found.every((problem) => problem.isOfKind || problem.path.length > path.length)) meant ??= found
  }
  problems.push(...(meant ?? [wrong(value, schema.expected, path)]))
}

function checkRefined(schema: Of<'refined'>, value: unknown, path: Path, problems: Problem[]): void {
  const before = problems.length
  check(schema.of, value, path, problems)
  if (problems.length > before) return
  const expected = schema.expects(value)
  if (expected === undefined) return
  const { member } = schema
  const at = member === undefined ? path : [...path, member]
  const wrongOne = member !== undefined && isObject(value) ? value[member] : value
  problems.push({ ...wrong(wrongOne, expected, at), isOfKind: true })
}

function wrong(value: unknown, expected: string, path: Path): Problem {
  return { path, message: `${given(value)}, expected ${expected}`, isOfKind: false }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
