import type { WalkerOS } from '@walkeros/core'
import { z } from 'zod'
import type { ContextAdapter } from '../context/ambient.js'
import type { Outbox } from '../delivery/index.js'
import type { DeliveryOptions } from '../delivery/options.js'
import type { BeforeSend } from '../destination/before-send.js'
import { hashed, only } from '../destination/call-paths.js'
import {
  booleanSchema,
  exactObject,
  field,
  functionSchema,
  hasMethod,
  integerFrom,
  isJson,
  type ObjectSchema,
  positive,
  says,
} from '../destination/schemas/fields.js'
import { COLLECTOR_FIELDS, ConfigSchema, SettingsSchema } from '../destination/schemas/index.js'
import type { Id } from '../model/identity.js'
import { isLargerThan, MAX_CALL_BYTES } from '../model/json-size.js'
import { isPlan } from '../model/plan.js'
import type { Reader } from '../model/tracked-request.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'
import type { Plan } from '../plan/plan.js'
import { problemOfReader } from '../request/reader-factory.js'
import type { RequestContextOptions } from '../request/segment-context.js'
import type { RequestOptions } from '../request/sender.js'
import type { DispatchOption } from '../tracker/dispatcher.js'
import type { TrackingConfig } from './config.js'

function readers<T>() {
  const reader = readerSchema<Reader<T>>()
  return z.union([reader, z.array(reader)], says('a function or a list of functions'))
}

/** A reader, and not a function that makes one: as a reader it would answer with a function, which is no answer. */
function readerSchema<F extends (...args: never[]) => unknown>() {
  return functionSchema<F>().superRefine((value, context) => {
    const message = problemOfReader(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

/** A function of a call, and not one that makes it: as such it would withhold every call. */
const beforeSendSchema = functionSchema<BeforeSend>().superRefine((value, context) => {
  const maker = [hashed, only].find((each) => Object.is(each, value))
  if (!maker) return
  const message = `expected a function of the call, not the function that makes one: write ${maker.name}('traits.email')`
  context.addIssue({ code: 'custom', message })
})

const contextShape = {
  ip: field(
    z.union([z.boolean(), z.literal('anonymize')], says("true, false or 'anonymize'")),
    "The client's address, by the framework's own proxy settings. `'anonymize'` cuts IPv4 to 24 bits and IPv6 to 48.",
    true,
  ),
  userAgent: field(booleanSchema, 'The `User-Agent` header.', true),
  locale: field(booleanSchema, "The client's preferred language.", true),
  page: field(
    z.union(
      [
        z.boolean(),
        exactObject('true, false or { query: [] }', {
          query: z
            .array(z.string(says("a parameter's name")), says("a list of parameters' names, such as ['q']"))
            .meta({ description: 'Query parameters to keep in the address, besides `utm_*`.' }),
        }),
      ],
      says("true, false or an object such as { query: ['q'] }"),
    ),
    'Page and referrer: origin, path, and of the query `utm_*` and the parameters in `query`.',
    true,
  ),
  campaign: field(
    booleanSchema,
    'The campaign from `utm_*` and, with consent to `marketing`, click ids.',
    true,
  ),
} satisfies Record<keyof RequestContextOptions, z.ZodType>

const requestShape = {
  userId: field(
    readers<Id>(),
    'Reads the userId; the first reader with an answer wins. The signed-in user (`req.user`, `ctx.state.user`) by default.',
  ),
  anonymousId: field(
    readers<Id>(),
    'Reads the anonymousId; the first reader with an answer wins. The cookie `ajs_anonymous_id` by default.',
  ),
  consent: field(
    readers<Record<string, boolean>>(),
    'Reads the consent; the answers of several readers are merged in order. Global Privacy Control by default.',
  ),
  user: field(
    readerSchema<NonNullable<RequestOptions['user']>>(),
    'Reads more about the person. Nothing by default.',
  ),
  context: field(
    z.union(
      [z.literal(false), exactObject('false or an object such as { ip: "anonymize" }', contextShape)],
      says("false or an object such as { ip: 'anonymize' }"),
    ),
    "Which parts of Segment's `context` the calls carry. All of them by default; `false` for none.",
  ),
  pageViews: field(
    booleanSchema,
    'Tracks a Segment `page` for every GET request that loads a page and is answered with HTML.',
    false,
  ),
  consentUpdates: field(
    booleanSchema,
    "Sends Segment's `Segment Consent Preference Updated` when `tracker.consent()` changes a choice.",
    false,
  ),
  skip: field(
    readers<boolean>(),
    'Drops all events of a request if one of these readers answers `true`. None by default.',
  ),
} satisfies Record<keyof RequestOptions, z.ZodType>

/** The schema of `config.request`. */
export const RequestSchema: ObjectSchema<RequestOptions> = exactObject(
  'an object such as { userId, consent }',
  requestShape,
)

const deliveryShape = {
  maxPending: field(integerFrom(1), 'Calls that may wait for Segment.'),
  maxBytes: field(integerFrom(1), 'Bytes of all calls that may wait for Segment.'),
  maxInFlight: field(integerFrom(1), 'Calls that may be on their way to Segment at a time.'),
  maxAge: field(positive('milliseconds'), 'Milliseconds of waiting after which a call is given up.'),
  outbox: field(
    z.custom<Outbox>(
      (value) =>
        typeof value === 'object' && value !== null && typeof Reflect.get(value, 'open') === 'function',
      says('an outbox, such as fileOutbox() gives'),
    ),
    'Keeps calls across restarts.',
  ),
  send: field(
    booleanSchema,
    'Whether this process sends. With `false` it only writes to an outbox that others read, such as `redisOutbox()` gives.',
    true,
  ),
} satisfies Record<keyof DeliveryOptions, z.ZodType>

/** The schema of `config.delivery`. */
export const DeliverySchema = exactObject(
  'an object such as { maxPending: 1000 }',
  deliveryShape,
).superRefine(({ send, outbox }, context) => {
  if (send !== false || outbox?.isShared === true) return
  const message = outbox
    ? 'an outbox that no other process reads while this one lives would never be sent: use redisOutbox({ client })'
    : 'without an outbox nothing would ever be sent: give one that other processes read, such as redisOutbox({ client })'
  context.addIssue({ code: 'custom', path: ['send'], message })
})

type Callback<K extends keyof TrackingCallbacks> = NonNullable<TrackingCallbacks[K]>

const callbacksShape = {
  delivered: field(functionSchema<Callback<'delivered'>>(), 'Receives each delivered call.'),
  dropped: field(functionSchema<Callback<'dropped'>>(), 'Receives each dropped event and the reason.'),
  failed: field(
    functionSchema<Callback<'failed'>>(),
    'Receives each call that was given up, and the reason.',
  ),
  violation: field(
    functionSchema<Callback<'violation'>>(),
    'Receives each thing that an event has otherwise than the tracking plan says.',
  ),
  error: field(
    functionSchema<Callback<'error'>>(),
    "Receives errors of the application's own functions: a reader, a mapping function, a callback.",
  ),
  shutdown: field(functionSchema<Callback<'shutdown'>>(), 'Receives the report of a shutdown.'),
} satisfies Record<keyof TrackingCallbacks, z.ZodType>

/** The schema of `config.on`. */
export const CallbacksSchema = exactObject('an object of callbacks, such as { failed }', callbacksShape)

const trackingShape = {
  ...ConfigSchema.shape,
  globals: field(
    z.union(
      [
        readerSchema<Reader<WalkerOS.Properties>>(),
        z
          .record(z.string(), z.custom<WalkerOS.Property>(isJson, says('a value of plain JSON')))
          .refine((globals) => !isLargerThan(globals, MAX_CALL_BYTES), says('less than the 32 KB of a call')),
      ],
      says("an object such as { release: '1.4.2' }, or a function of the request"),
    ),
    "Properties that hold for all events, such as release, environment and tenant. They fill the event's `globals` and lie under the properties of `track`, `page` and `screen`.",
  ),
  beforeSend: field(
    z.union(
      [beforeSendSchema, z.array(beforeSendSchema)],
      says('a function of the call and its event, or a list of such functions'),
    ),
    'Sees every call before it is sent, may change it, and withholds it by returning `null`.',
  ),
  request: field(RequestSchema, 'How to read a request: its sender, their consent, its context.'),
  dispatch: field(
    z.union(
      [z.enum(['always', 'success']), functionSchema<Exclude<DispatchOption, string>>()],
      says("'always', 'success' or a function of the outcome"),
    ),
    "When to dispatch a request's events: always, on success (a complete response with a status below 400), or if a function of the outcome returns true.",
    'always',
  ),
  plan: field(
    z.custom<Plan>(isPlan, says('a tracking plan, such as definePlan() of reqtrack/plan gives')),
    'The tracking plan that events are held to.',
  ),
  ambient: field(
    z.custom<ContextAdapter | false>(
      (value) => value === false || (hasMethod(value, 'run') && hasMethod(value, 'get')),
      says('false, or an adapter with functions run and get, such as fromAsyncLocalStorage() gives'),
    ),
    "Makes the running request's tracker available everywhere. An AsyncLocalStorage by default; `false` turns it off.",
  ),
  waitUntil: field(
    functionSchema<NonNullable<TrackingConfig['waitUntil']>>(),
    "Called at a request's first event with a promise for a platform to wait for before it freezes the function.",
  ),
  delivery: field(DeliverySchema, 'How to deliver calls.'),
  on: field(CallbacksSchema, 'Callbacks for what becomes of events and calls.'),
} satisfies Record<keyof TrackingConfig, z.ZodType>

const SECTIONS = {
  settings: SettingsSchema.shape,
  request: requestShape,
  'request.context': contextShape,
  delivery: deliveryShape,
  on: callbacksShape,
}

/** The schema of the configuration of `createTracking`. */
export const TrackingConfigSchema: ObjectSchema<TrackingConfig> = exactObject(
  'an object such as { settings: { writeKey } }',
  trackingShape,
  {
    refused: COLLECTOR_FIELDS,
    elsewhere: placesOf(SECTIONS),
  },
)

/** The place of each key of the sections, for the error about a key that stands at the top. */
function placesOf(sections: Readonly<Record<string, object>>): Record<string, string[]> {
  const places: Record<string, string[]> = {}
  for (const [section, shape] of Object.entries(sections)) {
    for (const key of Object.keys(shape)) places[key] = [...(places[key] ?? []), `${section}.${key}`]
  }
  return places
}
