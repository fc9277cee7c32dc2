import type { Destination, Logger } from '@walkeros/core'
import type { SegmentClient } from '../../delivery/index.js'
import {
  exactObject,
  functionOf,
  type MembersOf,
  type ObjectSchema,
  objectWith,
  oneOf,
  openObject,
  optional,
  required,
  text,
  yesOrNo,
} from '../../support/schema/index.js'
import type { Env, SegmentDestinationConfig, Types } from '../settings.js'
import { consentSchema, dataSchema, includeSchema, policySchema, rulesSchema } from './mapping.js'
import { settingsSchema } from './settings.js'

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

const loggerMembers: MembersOf<Logger.Config> = {
  level: optional(
    oneOf('ERROR, WARN, INFO or DEBUG', 'ERROR', 'WARN', 'INFO', 'DEBUG', 0, 1, 2, 3),
    'The least severe level to log: `ERROR`, `WARN`, `INFO` or `DEBUG`.',
    'ERROR',
  ),
  handler: optional(
    functionOf<Logger.Handler>(),
    'Receives each line: level, message, context, scope, and the handler that writes to the console.',
  ),
  jsonHandler: optional(
    functionOf<NonNullable<Logger.Config['jsonHandler']>>(),
    'Receives structured output.',
  ),
}

/** Level and handler of the log. */
export const loggerSchema: ObjectSchema<MembersOf<Logger.Config>> = exactObject(
  'an object such as { level: "WARN" }',
  loggerMembers,
)

/** Replacements for the destination's own parts. It takes unknown members, since walkerOS leaves the object open. */
export const envSchema: ObjectSchema<MembersOf<Pick<Env, 'analytics'>>> = openObject(
  'an object, such as { analytics }',
  {
    analytics: optional(
      objectWith<SegmentClient>('a Segment client: an object with a function track', 'track'),
      "Used instead of a new client: the application's own, or one that records.",
    ),
  },
)

/** The members of the part of walkerOS's destination config that needs no collector. */
export const configMembers: MembersOf<SegmentDestinationConfig> = {
  settings: required(settingsSchema, 'The Segment settings.'),
  mapping: optional(
    rulesSchema,
    'Rules that rename, reshape, redirect or ignore events, by entity and action; `*` matches any. In a list the first rule whose condition holds is taken.',
  ),
  consent: optional(
    consentSchema,
    'Consent keys of which one has to be granted; without one the event is dropped with the reason `consent`.',
  ),
  data: optional(dataSchema, "Makes the properties of every event. A rule's own `data` is merged over it."),
  include: optional(
    includeSchema,
    'Adds sections of the event to the properties, flattened: `data`, `globals`, `context`, `user`, `source`, `event`, or `all`.',
  ),
  policy: optional(policySchema, 'Changes every event before its rule is looked up: mapping values by path.'),
  env: optional(envSchema, "Replacements for the destination's own parts."),
  id: optional(text('a name'), 'A name for this destination in logs.'),
  disabled: optional(yesOrNo, 'Turns it off: every event is dropped with the reason `disabled`.', false),
  logger: optional(loggerSchema, 'Level and handler of the log. Errors on the console by default.'),
}

/** The part of walkerOS's destination config that needs no collector. */
export const configSchema: ObjectSchema<MembersOf<SegmentDestinationConfig>> = exactObject(
  'an object with at least settings.writeKey',
  configMembers,
  { refused: COLLECTOR_FIELDS },
)
