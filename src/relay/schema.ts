import { outboxSchema, sendingSchema } from '../config/delivery-schema.js'
import { memorySchema } from '../config/memory-schema.js'
import { loggerSchema, settingsSchema } from '../destination/schemas/index.js'
import {
  exactObject,
  functionOf,
  type MembersOf,
  type ObjectSchema,
  optional,
  refined,
  required,
  text,
} from '../support/schema/index.js'
import type { RelayCallbacks, RelayConfig } from './config.js'

type Callback<K extends keyof RelayCallbacks> = NonNullable<RelayCallbacks[K]>

const callbacksSchema: ObjectSchema<MembersOf<RelayCallbacks>> = exactObject(
  'an object of callbacks, such as { failed }',
  {
    delivered: optional(functionOf<Callback<'delivered'>>(), 'Receives each delivered call.'),
    failed: optional(
      functionOf<Callback<'failed'>>(),
      'Receives each call that was given up, and the reason.',
    ),
    error: optional(functionOf<Callback<'error'>>(), 'Receives errors of the other callbacks.'),
    shutdown: optional(functionOf<Callback<'shutdown'>>(), 'Receives the report of a shutdown.'),
  },
)

/** A relay that takes calls and sends none would lose them. */
const sendingSettings = refined(
  settingsSchema,
  ({ disable }) =>
    disable === true
      ? 'nothing or false, since a relay that sends nothing would lose what it takes'
      : undefined,
  'disable',
)

/** The schema of the configuration of `createRelay`. */
export const relaySchema: ObjectSchema<MembersOf<RelayConfig>> = exactObject(
  'an object such as { settings: { writeKey }, outbox }',
  {
    settings: required(sendingSettings, 'The Segment settings: the write key whose calls are sent, and how.'),
    outbox: required(outboxSchema, 'Where the calls are, such as `redisOutbox({ client })` gives.'),
    memory: optional(memorySchema, 'Forgets people of whom a call has failed.'),
    delivery: optional(sendingSchema, 'How to deliver calls.'),
    on: optional(callbacksSchema, 'Callbacks for what becomes of the calls.'),
    id: optional(text('a name'), 'A name for this relay in logs.'),
    logger: optional(loggerSchema, 'Level and handler of the log. Errors on the console by default.'),
  },
  {
    refused: {
      mapping: 'a relay makes no calls of events: this belongs to createTracking in the web processes',
      request: 'a relay reads no requests: this belongs to createTracking in the web processes',
    },
    elsewhere: {
      writeKey: ['settings.writeKey'],
      host: ['settings.host'],
      maxInFlight: ['delivery.maxInFlight'],
    },
  },
)
