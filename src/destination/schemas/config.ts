import type { Destination, Logger } from '@walkeros/core'
import { z } from 'zod'
import type { SegmentClient } from '../../delivery/index.js'
import type { Env, SegmentDestinationConfig, Types } from '../settings.js'
import {
  booleanSchema,
  exactObject,
  field,
  functionSchema,
  type ObjectSchema,
  objectWith,
  says,
} from './fields.js'
import { ConsentSchema, DataSchema, IncludeSchema, PolicySchema, RulesSchema } from './mapping.js'
import { SettingsSchema } from './settings.js'

/** The fields of walkerOS's destination config that only its collector can honour, and what to use instead. */
export const COLLECTOR_FIELDS = {
  batch:
    'not supported here, the Segment client batches already: use settings.flushAt and settings.flushInterval',
  before: collectorOnly('transformers run in its chain', 'use policy and mapping'),
  breaker: collectorOnly("it guards the collector's pushes", 'the delivery tries again by itself, remove it'),
  cache: collectorOnly('it keeps the stores', 'remove it'),
  credentials: collectorOnly('it resolves them', 'use settings.writeKey and settings.oauthSettings'),
  dlqMax: collectorOnly('it keeps what failed', 'use on.failed'),
  init: collectorOnly('it initialises destinations', 'createTracking has the client made already, remove it'),
  loadScript: collectorOnly('and only in a browser', 'remove it'),
  mock: collectorOnly('it replaces pushes', 'put a client that records into env.analytics'),
  next: collectorOnly('transformers run in its chain', 'use on.delivered'),
  queue: collectorOnly('it parks events without consent', 'here they are dropped and counted, remove it'),
  queueMax: collectorOnly('it parks events without consent', 'here they are dropped and counted, remove it'),
  require: collectorOnly('it has the state to wait for', 'a tracking is ready at once, remove it'),
  setup: collectorOnly("and walkerOS's command line", 'remove it'),
  state: collectorOnly('it keeps the stores', 'remove it'),
  timeout: collectorOnly('it waits for pushes', 'use settings.httpRequestTimeout'),
} satisfies Record<Exclude<keyof Destination.Config<Types>, keyof SegmentDestinationConfig>, string>

function collectorOnly(why: string, instead: string): string {
  return `only a walkerOS collector can honour this, ${why}: ${instead}`
}

const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const

const loggerShape = {
  level: field(
    z.union([z.enum(LEVELS), z.literal([0, 1, 2, 3])], says('ERROR, WARN, INFO or DEBUG')),
    'The least severe level to log: `ERROR`, `WARN`, `INFO` or `DEBUG`.',
    'ERROR',
  ),
  handler: field(
    functionSchema<Logger.Handler>(),
    'Receives each line: level, message, context, scope, and the handler that writes to the console.',
  ),
  jsonHandler: field(
    functionSchema<NonNullable<Logger.Config['jsonHandler']>>(),
    'Receives structured output.',
  ),
} satisfies Record<keyof Logger.Config, z.ZodType>

const envShape = {
  analytics: field(
    objectWith<SegmentClient>('a Segment client: an object with a function track', 'track'),
    "Used instead of a new client: the application's own, or one that records.",
  ),
}

/** Replacements for the destination's own parts. It takes unknown members, since walkerOS leaves the object open. */
export const EnvSchema = z.looseObject(
  envShape,
  says('an object, such as { analytics }'),
) satisfies z.ZodType<Env>

const configShape = {
  settings: SettingsSchema.meta({ description: 'The Segment settings.' }),
  mapping: field(
    RulesSchema,
    'Rules that rename, reshape, redirect or ignore events, by entity and action; `*` matches any. In a list the first rule whose condition holds is taken.',
  ),
  consent: field(
    ConsentSchema,
    'Consent keys of which one has to be granted; without one the event is dropped with the reason `consent`.',
  ),
  data: field(DataSchema, "Makes the properties of every event. A rule's own `data` is merged over it."),
  include: field(
    IncludeSchema,
    'Adds sections of the event to the properties, flattened: `data`, `globals`, `context`, `user`, `source`, `event`, or `all`.',
  ),
  policy: field(PolicySchema, 'Changes every event before its rule is looked up: mapping values by path.'),
  env: field(EnvSchema, "Replacements for the destination's own parts."),
  id: field(z.string(says('a name')), 'A name for this destination in logs.'),
  disabled: field(booleanSchema, 'Turns it off: every event is dropped with the reason `disabled`.', false),
  logger: field(
    exactObject('an object such as { level: "WARN" }', loggerShape),
    'Level and handler of the log. Errors on the console by default.',
  ),
} satisfies Record<keyof SegmentDestinationConfig, z.ZodType>

/** The part of walkerOS's destination config that needs no collector. */
export const ConfigSchema: ObjectSchema<SegmentDestinationConfig> = exactObject(
  'an object with at least settings.writeKey',
  configShape,
  {
    refused: COLLECTOR_FIELDS,
  },
)
