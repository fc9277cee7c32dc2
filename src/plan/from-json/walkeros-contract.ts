import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import type { Plan } from '../plan.js'
import { PlanProblems } from '../plan-error.js'
import type { JsonSchema, StandardSchema } from '../standard-schema.js'
import { eventSubject } from '../subject.js'
import { assemble } from './assemble.js'
import { givenParts, readContract } from './contract.js'
import { type CompiledSchema, JsonSchemaCompiler, schemaOfAll } from './json-schema.js'
import { checkOptions, type PlanOptions } from './options.js'

/** What `walkerOSContract` takes beside the contract. */
export interface WalkerOSContractOptions extends PlanOptions {
  /** Which one is meant, where there are several by their names. */
  readonly contract?: string
}

/**
 * Makes a tracking plan of a contract of walkerOS's: `{ entity: { action: schema } }`, with `*` for any entity or action, or
 * `{ events: { … } }` as a flow has it.
 *
 * The schemas are of whole events. Of those what a handler gives is checked: data, context, nested entities and custom.
 *
 * @param json - The contract, or several of them by their names.
 * @throws PlanError that lists every problem: JSON that is no contract, a schema that is none. An error if ajv 8 is not
 * installed.
 *
 * @example
 * const contract = { order: { complete: { properties: { data: { required: ['id'] } } } } }
 * const tracking = createTracking({ settings, plan: walkerOSContract(contract) })
 */
export function walkerOSContract(
  json: unknown,
  options: WalkerOSContractOptions = {},
): Plan<Record<never, never>> {
  const problems = new PlanProblems()
  const name: unknown = isRecord(options) ? options.contract : undefined
  if (name !== undefined && typeof name !== 'string') {
    problems.add(['options', 'contract'], `${given(name)}, expected the name of a contract`)
  }
  const read = readContract(json, typeof name === 'string' ? name : undefined, problems)
  checkOptions(options, (event) => read.events.some((each) => each.name === event), problems, ['contract'])
  let compiler: JsonSchemaCompiler | undefined
  const compiled = (schema: JsonSchema, path: readonly string[]): CompiledSchema[] => {
    compiler ??= new JsonSchemaCompiler('walkerOSContract')
    try {
      return [compiler.compile(givenParts(schema))]
    } catch (error) {
      problems.add(
        path,
        `no JSON Schema that ajv can take: ${error instanceof Error ? error.message : error}`,
      )
      return []
    }
  }
  const common = read.common ? compiled(read.common, ['schema']) : []
  const events = new Map<string, StandardSchema>()
  for (const { name: event, schema } of read.events) {
    events.set(event, schemaOfAll([...common, ...compiled(schema, event.split(' '))]))
  }
  problems.throwIfAny('walkerOSContract')
  return assemble(
    {
      events,
      methods: new Map(),
      common: common.length > 0 ? schemaOfAll(common) : undefined,
      subject: eventSubject,
      hasWildcards: true,
    },
    options,
  )
}
