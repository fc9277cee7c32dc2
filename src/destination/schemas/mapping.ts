import type { Mapping, WalkerOS } from '@walkeros/core'
import { z } from 'zod'
import type { MappingSettings, Rule } from '../rule.js'
import type { Rules } from '../rules-of-events.js'
import {
  booleanSchema,
  exactObject,
  field,
  functionSchema,
  isJson,
  type ObjectSchema,
  says,
} from './fields.js'

const A_VALUE =
  'a mapping value: a path such as data.total, an object such as { value: 1 }, or a list of these'

/** Consent keys of which one has to be granted. */
export const ConsentSchema: z.ZodType<WalkerOS.Consent> = z.record(
  z.string(),
  booleanSchema,
  says('consent keys and true, such as { analytics: true }'),
)

// The schemas of values refer to each other, so each is resolved lazily.
const ItemSchema: z.ZodType<Mapping.ValueType> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema], says(A_VALUE)),
)

/** A walkerOS mapping value: a path, a config, or a list of alternatives, of which the first with a result is taken. */
export const ValueSchema: z.ZodType<Mapping.Value> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema, z.array(ItemSchema)], says(A_VALUE)),
)

/** The mapping of data: a mapping value, or a list of alternatives, of which the first with a result is taken. */
export const DataSchema: z.ZodType<Mapping.Data> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema, z.array(ValueSchema)], says(A_VALUE)),
)

const valueShape = {
  condition: field(
    functionSchema<Mapping.Condition>(),
    'Takes the value only if this function returns true.',
  ),
  consent: field(
    ConsentSchema,
    'Consent keys of which one has to be granted; without one the result is `value`.',
  ),
  fn: field(functionSchema<NonNullable<Mapping.ValueConfig['fn']>>(), 'Makes the result from the value.'),
  key: field(z.string(says('a path such as data.total')), 'Path to the result, such as `data.total`.'),
  loop: field(
    z.tuple(
      [ValueSchema, ValueSchema],
      says('a list of two mapping values: what to go through and what to make of each'),
    ),
    'A list (`this` for the value itself) and the mapping value of each entry.',
  ),
  map: field(
    z.record(z.string(), ValueSchema, says('an object of mapping values by name')),
    'Makes an object: mapping values by name.',
  ),
  set: field(
    z.array(ValueSchema, says('a list of mapping values')),
    'Makes a list: the result of each mapping value.',
  ),
  validate: field(functionSchema<Mapping.Validate>(), 'Keeps the result only if this function returns true.'),
  value: field(
    z.custom<WalkerOS.PropertyType>(isJson, says('a string, number, boolean or object of these')),
    'A fixed result, or the fallback.',
  ),
} satisfies Record<keyof Mapping.ValueConfig, z.ZodType>

/** The object form of a mapping value. */
export const ValueConfigSchema: z.ZodType<Mapping.ValueConfig> = exactObject(A_VALUE, valueShape)

/** Changes to an event, by path. */
export const PolicySchema: z.ZodType<Mapping.Policy> = z.record(
  z.string(),
  ValueSchema,
  says(
    "an object of mapping values by the path that they are set at, such as { 'user.country': { value: 'DE' } }",
  ),
)

/** Sections of the event to add to the properties. */
export const IncludeSchema = z.array(
  z.string(says("a section's name")),
  says("a list of sections such as ['context', 'globals'], or ['all']"),
)

const view = z.union([booleanSchema, ValueSchema], says(`true, or ${A_VALUE}`))

const mappingSettingsShape = {
  identify: field(
    ValueSchema,
    'Calls `identify()` for the event: gives `{ userId?, traits? }`. Replaces `settings.identify`. Use with `skip: true` on login events.',
  ),
  group: field(
    ValueSchema,
    'Calls `group()` for the event: gives `{ groupId, traits? }`. Replaces `settings.group`. Use with `skip: true` on company and team events.',
  ),
  page: field(
    view,
    'Calls `page()` for the event: gives `{ category?, name?, properties? }`, or `true` for a call without them. Use with `skip: true`.',
  ),
  screen: field(
    view,
    'Calls `screen()` for the event: gives `{ category?, name?, properties? }`, or `true` for a call without them. Use with `skip: true`.',
  ),
} satisfies Record<keyof MappingSettings, z.ZodType>

/** The `settings` of a mapping rule. */
export const MappingSchema: ObjectSchema<MappingSettings> = exactObject(
  'an object with identify, group, page or screen',
  mappingSettingsShape,
)

const COLLECTOR_RULE_FIELDS: Record<'batch' | 'extend', string> = {
  batch:
    'not supported here, the Segment client batches already: use settings.flushAt and settings.flushInterval',
  extend: 'only a walkerOS collector merges rules: write the whole rule here',
}

const ruleShape = {
  name: field(z.string(says('the name of the call')), 'The name of the `track()` call.'),
  data: field(DataSchema, "Makes the properties; merged over the config's `data`."),
  include: field(
    IncludeSchema,
    "Adds sections of the event to the properties; replaces the config's `include`.",
  ),
  remove: field(
    z.array(z.string(says('a path')), says('a list of paths')),
    'Removes these paths from the properties, wherever they came from.',
  ),
  condition: field(
    functionSchema<Mapping.Condition>(),
    'Applies the rule only if this function returns true. It may be asynchronous and has two seconds.',
  ),
  consent: field(
    ConsentSchema,
    'Consent keys of which one has to be granted; without one the event is dropped.',
  ),
  policy: field(PolicySchema, 'Changes the event before its data is made: mapping values by path.'),
  ignore: field(booleanSchema, 'Drops the event.', false),
  silent: field(
    booleanSchema,
    'Makes the calls of `settings` and no `track()`: the name of `skip` in walkerOS 4.',
    false,
  ),
  skip: field(booleanSchema, 'Makes the calls of `settings` and no `track()`.', false),
  sample: field(
    z
      .number(says('a share from 0 to 1'))
      .min(0, says('a share from 0 to 1'))
      .max(1, says('a share from 0 to 1')),
    'Keeps the events of this share of visitors, from 0 to 1; those of the others are dropped with the reason `sampled`.',
  ),
  settings: field(MappingSchema, 'Further calls of the Segment spec: `identify`, `group`, `page`, `screen`.'),
} satisfies Record<Exclude<keyof Rule, keyof typeof COLLECTOR_RULE_FIELDS>, z.ZodType>

/** A mapping rule, as far as it needs no collector. */
export const RuleSchema: ObjectSchema<Omit<Rule, keyof typeof COLLECTOR_RULE_FIELDS>> = exactObject(
  'a mapping rule, such as { name: "Order Completed" }',
  ruleShape,
  {
    refused: COLLECTOR_RULE_FIELDS,
  },
)

const entityKey = z
  .string()
  .regex(
    /^\S+$/,
    "no event has this entity: expected one word with its actions below it, as in { Checkout: { 'Step Viewed': {} } }",
  )

const actionKey = z
  .string()
  .refine(
    (key) => key !== '' && key === key.trim(),
    "no event has this action: expected all words of an event's name after the first, or * for any and for none",
  )

const ActionsSchema = z.record(
  actionKey,
  z.union([RuleSchema, z.array(RuleSchema)], says('a mapping rule or a list of rules')),
  says('actions and their rules, such as { complete: { name: "Order Completed" } }'),
)

/** Mapping rules by entity and action. */
export const RulesSchema: z.ZodType<Rules> = z.record(
  entityKey,
  ActionsSchema,
  says('entities, actions and their rules, such as { order: { complete: { name: "Order Completed" } } }'),
)
