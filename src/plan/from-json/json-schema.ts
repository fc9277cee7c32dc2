import * as modules from 'node:module'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import { keysOfPointer } from '../expectation.js'
import type { JsonSchema, StandardIssue, StandardSchema } from '../standard-schema.js'
import { FORMATS } from './formats.js'
import { memberSchema, withoutDialect } from './member-schema.js'

/** Makes JSON Schemas (draft-07) ready, by the application's own ajv. */
export class JsonSchemaCompiler {
  readonly #make: () => Ajv
  readonly #shared: Ajv

  /**
   * @param maker - The function that the application called, for messages.
   * @throws If ajv 8 is not installed.
   */
  constructor(maker: string) {
    const Ajv = loadAjv(maker)
    this.#make = () =>
      new Ajv({
        allErrors: true,
        messages: false,
        // What somebody's plan has beside JSON Schema, such as Segment's `labels`, is no business of ours.
        strict: false,
        logger: false,
        // Without it `constructor` is a member of every object.
        ownProperties: true,
        unicodeRegExp: false,
        formats: { ...FORMATS },
      })
    this.#shared = this.#make()
  }

  /**
   * Makes a schema ready.
   *
   * @param document - A whole schema, whose references are its own.
   * @param member - The member of the document that is the value's own schema, where the value is not the whole.
   * @throws If it is no JSON Schema.
   */
  compile(document: JsonSchema, member?: string): CompiledSchema {
    const check = this.#check(withoutDialect(document))
    return { issues: (value) => issuesOf(check, value, member), schema: memberSchema(document, member) }
  }

  #check(document: JsonSchema): ValidateFunction {
    try {
      return this.#shared.compile(document)
    } catch {
      // Two schemas may have the same `$id` inside: they are no contradiction, as long as they do not know of each other.
      return this.#make().compile(document)
    }
  }
}

/** A JSON Schema made ready. */
export interface CompiledSchema {
  issues(value: unknown): StandardIssue[]
  readonly schema: JsonSchema
}

/** Makes one schema of several that all have to hold. */
export function schemaOfAll(parts: readonly CompiledSchema[]): StandardSchema {
  const [first] = parts
  const schema = parts.length > 1 ? { allOf: parts.map((part) => part.schema) } : (first?.schema ?? {})
  const standard = {
    version: 1,
    vendor: 'reqtrack',
    validate: (value: unknown) => {
      const issues = parts.flatMap((part) => part.issues(value))
      return issues.length === 0 ? { value } : { issues }
    },
    // Standard JSON Schema 1.
    jsonSchema: { input: () => schema, output: () => schema },
  } as const
  return { '~standard': standard }
}

function loadAjv(maker: string): typeof import('ajv').default {
  let loaded: { readonly default?: typeof import('ajv').default }
  try {
    loaded = modules.createRequire(import.meta.url)('ajv')
  } catch (error) {
    throw new Error(`${maker}() needs the package ajv: npm install ajv@8`, { cause: error })
  }
  // Version 6, which many packages bring along, has no such member.
  if (typeof loaded.default === 'function') return loaded.default
  throw new Error(`${maker}() needs version 8 of the package ajv, and found another: npm install ajv@8`)
}

function issuesOf(check: ValidateFunction, value: unknown, member: string | undefined): StandardIssue[] {
  if (check(member === undefined ? value : { [member]: value })) return []
  const above = member === undefined ? 0 : 1
  return placesOf(check.errors ?? []).map((path) => ({ message: '', path: path.slice(above) }))
}

/**
 * The places that ajv complains of. Of alternatives it lists why each does not hold; none of these has to, so that it is
 * the place of the alternatives that is wrong.
 */
function placesOf(errors: readonly ErrorObject[]): string[][] {
  let places: { readonly error: ErrorObject; readonly path: string[] }[] = []
  for (const error of errors) {
    if (error.keyword === 'if') continue
    const path = pathOf(error)
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
      const inside = places.filter((place) => place.error.schemaPath.startsWith(`${error.schemaPath}/`))
      places = places.filter((place) => !inside.includes(place))
      // Where each alternative only wants something more, that is what is missing.
      if (inside.length > 0 && inside.every((place) => isMissing(place.error))) {
        places.push(...inside)
        continue
      }
    }
    places.push({ error, path })
  }
  return places.map(({ path }) => path)
}

function isMissing({ params }: ErrorObject): boolean {
  return typeof params.missingProperty === 'string'
}

const MEMBERS = ['missingProperty', 'additionalProperty', 'unevaluatedProperty', 'propertyName'] as const

function pathOf({ instancePath, params, propertyName }: ErrorObject): string[] {
  const path = keysOfPointer(instancePath)
  const member = propertyName ?? MEMBERS.map((name) => params[name]).find((name) => typeof name === 'string')
  return member === undefined ? path : [...path, member]
}
