import { deliverySchema } from '../../src/config/delivery-schema.js'
import {
  callbacksSchema,
  contextSchema,
  requestSchema,
  trackingConfigSchema,
} from '../../src/config/schema.js'
import { DEFAULT_LIMITS } from '../../src/delivery/limits.js'
import {
  COLLECTOR_FIELDS,
  envSchema,
  loggerSchema,
  mappingSchema,
  oauthSchema,
  ruleSchema,
  settingsSchema,
  valueConfigSchema,
  valueSchema,
} from '../../src/destination/schemas/index.js'
import type { Member, Members } from '../../src/support/schema/index.js'

/** Where more is said about an option, by its name. */
type Places = Readonly<Record<string, string>>

const SECTIONS: Places = {
  settings: '#settings',
  mapping: 'mapping.md',
  data: 'mapping.md#data',
  policy: 'mapping.md#policy',
  include: 'mapping.md#include',
  globals: 'mapping.md#globals',
  beforeSend: 'mapping.md#before-sending',
  request: '#request',
  validate: 'self-check.md',
  dryRun: 'dry-run.md',
  delivery: '#delivery',
  on: '#on',
  logger: '#logger',
  env: '#env',
}

/** The headings of the mapping page. That every field has one is seen to by these links. */
const RULE_PLACES = placesOf(ruleSchema.members, { skip: 'skip-and-silent', silent: 'skip-and-silent' })
const VALUE_PLACES = placesOf(valueConfigSchema.members, {
  condition: 'condition-of-a-value',
  consent: 'consent-of-a-value',
})

/** The parts of the configuration reference that are made from the schemas, by the name of their place in the page. */
export const configurationParts: Readonly<Record<string, () => string>> = {
  config: () => table(trackingConfigSchema.members, {}, SECTIONS),
  settings: () => table(settingsSchema.members),
  oauthSettings: () => table(oauthSchema.members),
  request: () => table(requestSchema.members, {}, { context: '#requestcontext' }),
  context: () => table(contextSchema.members),
  delivery: () => table(deliverySchema.members, DEFAULT_LIMITS),
  on: () => table(callbacksSchema.members),
  logger: () => table(loggerSchema.members),
  env: () => table(envSchema.members),
  rule: () => table(ruleSchema.members, {}, RULE_PLACES),
  'rule settings': () => table(mappingSchema.members),
  value: () => table(valueConfigSchema.members, {}, VALUE_PLACES),
  'collector fields': () =>
    rows([['field', 'why, and what to do'], ...Object.entries(COLLECTOR_FIELDS).map(fieldRow)]),
}

function placesOf(members: Members, others: Places): Places {
  return Object.fromEntries(Object.keys(members).map((name) => [name, `mapping.md#${others[name] ?? name}`]))
}

function fieldRow([name, why]: [string, string]): string[] {
  return [`\`${name}\``, escaped(why)]
}

function table(
  members: Members,
  fallbacks: Readonly<Record<string, unknown>> = {},
  more: Places = {},
): string {
  const options = Object.entries(members).map(([name, member]) => {
    const named = more[name] === undefined ? `\`${name}\`` : `[\`${name}\`](${more[name]})`
    const fallback = member.fallback ?? fallbacks[name]
    return [named, expectedBy(member), defaultOf(member, fallback), escaped(member.description)]
  })
  return rows([['option', 'takes', 'default', ''], ...options])
}

function rows([head = [], ...body]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** What an option takes, in the words of the error for whoever gives it something else. */
function expectedBy({ schema }: Member): string {
  const expected = escaped(inCode(schema.expected).replace(inCode(valueSchema.expected), 'a VALUE'))
  return expected.replace('a VALUE', 'a [mapping value](mapping.md#mapping-values)')
}

function inCode(expected: string): string {
  return expected.replace(/\{.*\}|\[[^\]]*\]/g, '`$&`')
}

function defaultOf({ isOptional }: Member, fallback: unknown): string {
  if (fallback !== undefined)
    return `\`${typeof fallback === 'string' ? `'${fallback}'` : String(fallback)}\``
  return isOptional ? '' : '**required**'
}

/** A table's cells end at a bar, and Markdown takes what looks like a tag for one. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(?=[a-z/])/gi, '&lt;')
}
