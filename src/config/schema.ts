import { z } from 'zod'
import type { ContextAdapter } from '../context/ambient.js'
import type { Outbox } from '../delivery/index.js'
import type { DeliveryOptions } from '../delivery/options.js'
import {
  booleanSchema,
  exactObject,
  field,
  functionSchema,
  hasMethod,
  integerFrom,
  type ObjectSchema,
  positive,
  says,
} from '../destination/schemas/fields.js'
import { COLLECTOR_FIELDS, ConfigSchema, SettingsSchema } from '../destination/schemas/index.js'
import type { Reader } from '../model/tracked-request.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'
import type { RequestContextOptions } from '../request/segment-context.js'
import type { RequestOptions } from '../request/sender.js'
import type { DispatchOption } from '../tracker/dispatcher.js'
import type { TrackingConfig } from './config.js'

function readers<T>() {
  const reader = functionSchema<Reader<T>>()
  return z.union([reader, z.array(reader)], says('a function or a list of functions'))
}

const contextShape = {
  ip: field(
    z.union([z.boolean(), z.literal('anonymize')], says("true, false or 'anonymize'")),
    "The client's address, as the framework's own proxy settings give it. `'anonymize'` cuts IPv4 to 24 bits and IPv6 to 48.",
    true,
  ),
  userAgent: field(booleanSchema, 'The `User-Agent` header.', true),
  locale: field(booleanSchema, 'The language that the client likes best.', true),
  page: field(
    z.union(
      [
        z.boolean(),
        exactObject('true, false or { query: [] }', {
          query: z
            .array(z.string(says("a parameter's name")), says("a list of parameters' names, such as ['q']"))
            .meta({ description: 'Parameters of the query that stay in the address, besides `utm_*`.' }),
        }),
      ],
      says("true, false or an object such as { query: ['q'] }"),
    ),
    'The page and the referrer: origin and path, and of the query `utm_*` and what `query` names.',
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
    readers<string | number>(),
    'Reads the userId; of several readers the first that answers wins. Who is signed in (`req.user`, `ctx.state.user`) by default.',
  ),
  anonymousId: field(
    readers<string | number>(),
    'Reads the anonymousId; of several readers the first that answers wins. The cookie `ajs_anonymous_id` by default.',
  ),
  consent: field(
    readers<Record<string, boolean>>(),
    'Reads the consent; what several readers say is merged in order. Global Privacy Control by default.',
  ),
  user: field(
    functionSchema<NonNullable<RequestOptions['user']>>(),
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
    'Tracks a Segment `page` for every GET request that is answered with HTML.',
    false,
  ),
  consentUpdates: field(
    booleanSchema,
    "Sends Segment's `Segment Consent Preference Updated` when `tracker.consent()` changes a choice.",
    false,
  ),
  skip: field(
    readers<boolean>(),
    'Drops all events of a request that one of these readers answers `true` for. None by default.',
  ),
} satisfies Record<keyof RequestOptions, z.ZodType>

/** How a request is read. */
export const RequestSchema: ObjectSchema<RequestOptions> = exactObject(
  'an object such as { userId, consent }',
  requestShape,
)

const deliveryShape = {
  maxPending: field(integerFrom(1), 'Calls that may wait for Segment.'),
  maxBytes: field(integerFrom(1), 'Bytes that the calls which wait for Segment may take.'),
  maxInFlight: field(integerFrom(1), 'Calls that may be under way to Segment at a time.'),
  maxAge: field(positive('milliseconds'), 'Milliseconds after which a call that waits is given up.'),
  outbox: field(
    z.custom<Outbox>(
      (value) =>
        typeof value === 'object' && value !== null && typeof Reflect.get(value, 'open') === 'function',
      says('an outbox, such as fileOutbox() gives'),
    ),
    'Keeps calls across restarts.',
  ),
} satisfies Record<keyof DeliveryOptions, z.ZodType>

/** How calls are delivered. */
export const DeliverySchema = exactObject('an object such as { maxPending: 1000 }', deliveryShape)

type Callback<K extends keyof TrackingCallbacks> = NonNullable<TrackingCallbacks[K]>

const callbacksShape = {
  delivered: field(functionSchema<Callback<'delivered'>>(), 'Is told each call that has arrived.'),
  dropped: field(functionSchema<Callback<'dropped'>>(), 'Is told each event that became no call, and why.'),
  failed: field(functionSchema<Callback<'failed'>>(), 'Is told each call that was given up, and why.'),
  error: field(
    functionSchema<Callback<'error'>>(),
    "Is told what failed of the application's own: a reader, a mapping function, a callback.",
  ),
  shutdown: field(functionSchema<Callback<'shutdown'>>(), 'Is told what a shutdown came to.'),
} satisfies Record<keyof TrackingCallbacks, z.ZodType>

/** What the application is told. */
export const CallbacksSchema = exactObject('an object of callbacks, such as { failed }', callbacksShape)

const trackingShape = {
  ...ConfigSchema.shape,
  request: field(RequestSchema, 'How a request is read: who sent it, what they agreed to, in which context.'),
  dispatch: field(
    z.union(
      [z.enum(['always', 'success']), functionSchema<Exclude<DispatchOption, string>>()],
      says("'always', 'success' or a function of the outcome"),
    ),
    "Which requests' events are dispatched: all of them, those of requests answered completely with a status below 400, or what a function says of the outcome.",
    'always',
  ),
  ambient: field(
    z.custom<ContextAdapter | false>(
      (value) => value === false || (hasMethod(value, 'run') && hasMethod(value, 'get')),
      says('false, or an adapter with functions run and get, such as fromAsyncLocalStorage() gives'),
    ),
    "How the running request's tracker is found from anywhere. An AsyncLocalStorage by default; `false` for not at all.",
  ),
  delivery: field(DeliverySchema, 'How calls are delivered.'),
  on: field(CallbacksSchema, 'What the application is told.'),
} satisfies Record<keyof TrackingConfig, z.ZodType>

const SECTIONS = {
  settings: SettingsSchema.shape,
  request: requestShape,
  'request.context': contextShape,
  delivery: deliveryShape,
  on: callbacksShape,
}

/** The whole of what `createTracking` takes. */
export const TrackingConfigSchema: ObjectSchema<TrackingConfig> = exactObject(
  'an object such as { settings: { writeKey } }',
  trackingShape,
  {
    refused: COLLECTOR_FIELDS,
    elsewhere: placesOf(SECTIONS),
  },
)

/** Where each key of the sections belongs, for who wrote it at the top. */
function placesOf(sections: Readonly<Record<string, object>>): Record<string, string[]> {
  const places: Record<string, string[]> = {}
  for (const [section, shape] of Object.entries(sections)) {
    for (const key of Object.keys(shape)) places[key] = [...(places[key] ?? []), `${section}.${key}`]
  }
  return places
}
