import type { Mapping, WalkerOS } from '@walkeros/core'
import {
  anyOf,
  exactObject,
  functionOf,
  isJson,
  lazy,
  listOf,
  type MembersOf,
  number,
  type ObjectSchema,
  opaque,
  optional,
  pairOf,
  recordOf,
  type Schema,
  text,
  yesOrNo,
} from '../../support/schema/index.js'
import type { MappingSettings, Rule } from '../rule.js'
import type { Rules } from '../rules-of-events.js'

const A_VALUE =
  'a mapping value: a path such as data.total, an object such as { value: 1 }, or a list of these'

/** Consent keys of which one has to be granted. */
export const consentSchema: Schema<WalkerOS.Consent> = recordOf(
  'consent keys and true, such as { analytics: true }',
  yesOrNo,
)

// The schemas of values refer to each other.
const itemSchema: Schema<Mapping.ValueType> = lazy(A_VALUE, () =>
  anyOf(A_VALUE, text('a path'), valueConfigSchema),
)

/** A walkerOS mapping value: a path, a config, or a list of alternatives, of which the first with a result is taken. */
export const valueSchema: Schema<Mapping.Value> = lazy(A_VALUE, () =>
  anyOf(A_VALUE, text('a path'), valueConfigSchema, listOf(A_VALUE, itemSchema)),
)

/** The mapping of data: a mapping value, or a list of alternatives, of which the first with a result is taken. */
export const dataSchema: Schema<Mapping.Data> = lazy(A_VALUE, () =>
  anyOf(A_VALUE, text('a path'), valueConfigSchema, listOf(A_VALUE, valueSchema)),
)

const valueMembers: MembersOf<Mapping.ValueConfig> = {
  condition: optional(functionOf<Mapping.Condition>(), 'Takes the value only if this function returns true.'),
  consent: optional(
    consentSchema,
    'Consent keys of which one has to be granted; without one the result is `value`.',
  ),
  fn: optional(functionOf<NonNullable<Mapping.ValueConfig['fn']>>(), 'Makes the result from the value.'),
  key: optional(text('a path such as data.total'), 'Path to the result, such as `data.total`.'),
  loop: optional(
    pairOf(
      'a list of two mapping values: what to go through and what to make of each',
      valueSchema,
      valueSchema,
    ),
    'A list (`this` for the value itself) and the mapping value of each entry.',
  ),
  map: optional(
    recordOf('an object of mapping values by name', valueSchema),
    'Makes an object: mapping values by name.',
  ),
  set: optional(
    listOf('a list of mapping values', valueSchema),
    'Makes a list: the result of each mapping value.',
  ),
  validate: optional(functionOf<Mapping.Validate>(), 'Keeps the result only if this function returns true.'),
  value: optional(
    opaque<WalkerOS.PropertyType>('a string, number, boolean or object of these', isJson),
    'A fixed result, or the fallback.',
  ),
}

/** The object form of a mapping value. */
export const valueConfigSchema: ObjectSchema<MembersOf<Mapping.ValueConfig>> = exactObject(
  A_VALUE,
  valueMembers,
)

/** Changes to an event, by path. */
export const policySchema: Schema<Mapping.Policy> = recordOf(
  "an object of mapping values by the path that they are set at, such as { 'user.country': { value: 'DE' } }",
  valueSchema,
)

/** Sections of the event to add to the properties. */
export const includeSchema: Schema<string[]> = listOf(
  "a list of sections such as ['context', 'globals'], or ['all']",
  text("a section's name"),
)

const view = anyOf(`true, or ${A_VALUE}`, yesOrNo, valueSchema)

const mappingMembers: MembersOf<MappingSettings> = {
  identify: optional(
    valueSchema,
    'Calls `identify()` for the event: gives `{ userId?, traits? }`. Replaces `settings.identify`. Use with `skip: true` on login events.',
  ),
  group: optional(
    valueSchema,
    'Calls `group()` for the event: gives `{ groupId, traits? }`. Replaces `settings.group`. Use with `skip: true` on company and team events.',
  ),
  page: optional(
    view,
    'Calls `page()` for the event: gives `{ category?, name?, properties? }`, or `true` for a call without them. Use with `skip: true`.',
  ),
  screen: optional(
    view,
    'Calls `screen()` for the event: gives `{ category?, name?, properties? }`, or `true` for a call without them. Use with `skip: true`.',
  ),
}

/** The `settings` of a mapping rule. */
export const mappingSchema: ObjectSchema<MembersOf<MappingSettings>> = exactObject(
  'an object with identify, group, page or screen',
  mappingMembers,
)

const COLLECTOR_RULE_FIELDS: Readonly<Record<'batch' | 'extend', string>> = {
  batch:
    'not supported here, the Segment client batches already: use settings.flushAt and settings.flushInterval',
  extend: 'only a walkerOS collector merges rules: write the whole rule here',
}

/** A mapping rule, as far as it needs no collector. */
export type OwnRule = Omit<Rule, keyof typeof COLLECTOR_RULE_FIELDS>

const ruleMembers: MembersOf<OwnRule> = {
  name: optional(text('the name of the call'), 'The name of the `track()` call.'),
  data: optional(dataSchema, "Makes the properties; merged over the config's `data`."),
  include: optional(
    includeSchema,
    "Adds sections of the event to the properties; replaces the config's `include`.",
  ),
  remove: optional(
    listOf('a list of paths', text('a path')),
    'Removes these paths from the properties, wherever they came from.',
  ),
  condition: optional(
    functionOf<Mapping.Condition>(),
    'Applies the rule only if this function returns true. It may be asynchronous and has two seconds.',
  ),
  consent: optional(
    consentSchema,
    'Consent keys of which one has to be granted; without one the event is dropped.',
  ),
  policy: optional(policySchema, 'Changes the event before its data is made: mapping values by path.'),
  ignore: optional(yesOrNo, 'Drops the event.', false),
  silent: optional(
    yesOrNo,
    'Makes the calls of `settings` and no `track()`: the name of `skip` in walkerOS 4.',
    false,
  ),
  skip: optional(yesOrNo, 'Makes the calls of `settings` and no `track()`.', false),
  sample: optional(
    number('a share from 0 to 1', { least: 0, most: 1 }),
    'Keeps the events of this share of visitors, from 0 to 1; those of the others are dropped with the reason `sampled`.',
  ),
  settings: optional(
    mappingSchema,
    'Further calls of the Segment spec: `identify`, `group`, `page`, `screen`.',
  ),
}

/** A mapping rule, as far as it needs no collector. */
export const ruleSchema: ObjectSchema<MembersOf<OwnRule>> = exactObject(
  'a mapping rule, such as { name: "Order Completed" }',
  ruleMembers,
  { refused: COLLECTOR_RULE_FIELDS },
)

const actionsSchema = recordOf(
  'actions and their rules, such as { complete: { name: "Order Completed" } }',
  anyOf('a mapping rule or a list of rules', ruleSchema, listOf('a list of rules', ruleSchema)),
  {
    pattern: /^\S(?:[\s\S]*\S)?$/,
    problem:
      "no event has this action: expected all words of an event's name after the first, or * for any and for none",
  },
)

/** Mapping rules by entity and action. */
export const rulesSchema: Schema<Rules> = recordOf(
  'entities, actions and their rules, such as { order: { complete: { name: "Order Completed" } } }',
  actionsSchema,
  {
    pattern: /^\S+$/,
    problem:
      "no event has this entity: expected one word with its actions below it, as in { Checkout: { 'Step Viewed': {} } }",
  },
)
