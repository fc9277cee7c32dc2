/**
 * A schema of any library that speaks Standard Schema: zod, valibot, arktype and others. Its types say what it takes and
 * gives.
 *
 * Source: Standard Schema 1, https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema answers: the value as it gives it, or what is wrong. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that is wrong. Its message may quote the value, so that nobody is told it. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a schema takes. */
export type InputOf<S> = S extends StandardSchema ? NonNullable<S['~standard']['types']>['input'] : unknown

/** Whether a value is a schema. Some are functions with members. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  try {
    const standard = memberOf(value, '~standard')
    return typeof memberOf(standard, 'validate') === 'function'
  } catch {
    return false
  }
}

/**
 * The JSON Schema (draft-07) of what a schema takes, where its library gives one.
 *
 * Source: Standard JSON Schema 1.
 */
export function inputJsonSchema(schema: StandardSchema): JsonSchema | undefined {
  const { vendor } = schema['~standard']
  const converter = memberOf(schema['~standard'], 'jsonSchema')
  const input = memberOf(converter, 'input')
  if (typeof input !== 'function') return undefined
  try {
    // A part that JSON has no schema for, such as a date, would cost zod the whole.
    const libraryOptions = vendor === 'zod' ? { libraryOptions: { unrepresentable: 'any' } } : {}
    const given: unknown = Reflect.apply(input, converter, [{ target: 'draft-07', ...libraryOptions }])
    return isJsonSchema(given) ? given : undefined
  } catch {
    return undefined
  }
}

/** Whether a value can be a JSON Schema, `true` and `false` apart. */
export function isJsonSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function memberOf(value: unknown, key: string): unknown {
  const hasMembers = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return hasMembers ? Reflect.get(value, key) : undefined
}
