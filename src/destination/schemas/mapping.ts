import type { Mapping, WalkerOS } from '@walkeros/core'
import { z } from 'zod'
import type { MappingSettings, Rule, Rules } from '../settings.js'
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

// The schemas of values hold each other, so each is looked up when it is needed.
const ItemSchema: z.ZodType<Mapping.ValueType> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema], says(A_VALUE)),
)

/** A walkerOS mapping value: a path, a config, or a list of these of which the first that gives something is taken. */
export const ValueSchema: z.ZodType<Mapping.Value> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema, z.array(ItemSchema)], says(A_VALUE)),
)

/** What data are made from: a mapping value, or a list of them of which the first that gives something is taken. */
export const DataSchema: z.ZodType<Mapping.Data> = z.lazy(() =>
  z.union([z.string(), ValueConfigSchema, z.array(ValueSchema)], says(A_VALUE)),
)

const valueShape = {
  condition: field(
    functionSchema<Mapping.Condition>(),
    'Takes the value only where this function answers true.',
  ),
  consent: field(
    ConsentSchema,
    'Consent keys of which one has to be granted; without one the result is `value`.',
  ),
  fn: field(functionSchema<NonNullable<Mapping.ValueConfig['fn']>>(), 'Makes the result of the value.'),
  key: field(z.string(says('a path such as data.total')), 'Path to the result, such as `data.total`.'),
  loop: field(
    z.tuple(
      [ValueSchema, ValueSchema],
      says('a list of two mapping values: what to go through and what to make of each'),
    ),
    'A list to go through (`this` for the value itself) and the mapping value of each of its entries.',
  ),
  map: field(
    z.record(z.string(), ValueSchema, says('an object of mapping values by name')),
    'Makes an object: its names, and the mapping value of each.',
  ),
  set: field(
    z.array(ValueSchema, says('a list of mapping values')),
    'Makes a list of what each mapping value gives.',
  ),
  validate: field(
    functionSchema<Mapping.Validate>(),
    'Keeps the result only where this function answers true.',
  ),
  value: field(
    z.custom<WalkerOS.PropertyType>(isJson, says('a string, number, boolean or object of these')),
    'A fixed result, and the one to fall back to.',
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

/** Sections of the event that are added to the properties. */
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

/** What a mapping rule can say under `settings`. */
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
  name: field(z.string(says('the name of the call')), 'Renames the event: the name of the `track()` call.'),
  data: field(DataSchema, "What the properties are made from; merged over what the config's `data` gives."),
  include: field(
    IncludeSchema,
    "Sections of the event that are added to the properties, instead of the config's.",
  ),
  remove: field(
    z.array(z.string(says('a path')), says('a list of paths')),
    'Paths that are taken out of the properties, whatever put them there.',
  ),
  condition: field(
    functionSchema<Mapping.Condition>(),
    'Takes the rule only where this function answers true. It may be asynchronous and has two seconds.',
  ),
  consent: field(
    ConsentSchema,
    'Consent keys of which one has to be granted; without one the event is dropped.',
  ),
  policy: field(PolicySchema, 'Changes to make to the event before its data are made, by path.'),
  ignore: field(booleanSchema, 'Drops the event.', false),
  silent: field(
    booleanSchema,
    "Makes the calls of `settings` and no `track()`: walkerOS 4's name for `skip`.",
    false,
  ),
  skip: field(booleanSchema, 'Makes the calls of `settings` and no `track()`.', false),
  settings: field(MappingSchema, 'The other calls of the Segment spec to make for the event.'),
} satisfies Record<Exclude<keyof Rule, keyof typeof COLLECTOR_RULE_FIELDS>, z.ZodType>

/** A mapping rule, as far as it needs no collector. */
export const RuleSchema: ObjectSchema<Omit<Rule, keyof typeof COLLECTOR_RULE_FIELDS>> = exactObject(
  'a mapping rule, such as { name: "Order Completed" }',
  ruleShape,
  {
    refused: COLLECTOR_RULE_FIELDS,
  },
)

const WORD = /^\S+$/

const entityKey = z
  .string()
  .regex(
    WORD,
    'no event has this entity: expected one word with its actions below it, as in { order: { complete: {} } }',
  )

const actionKey = z
  .string()
  .regex(WORD, "no event has this action: expected the second word of an event's name, or *")

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
