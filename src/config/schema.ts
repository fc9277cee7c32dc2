import type { WalkerOS } from '@walkeros/core'
import type { ContextAdapter } from '../context/ambient.js'
import type { BeforeSend } from '../destination/before-send.js'
import { hashed, only } from '../destination/call-paths.js'
import { COLLECTOR_FIELDS, configMembers, settingsSchema } from '../destination/schemas/index.js'
import type { Id } from '../model/identity.js'
import { isLargerThan, MAX_CALL_BYTES } from '../model/json-size.js'
import { isPlan } from '../model/plan.js'
import type { Reader } from '../model/tracked-request.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'
import { CHECK_CODES, type ValidateOption } from '../observe/self-check/index.js'
import type { Plan } from '../plan/plan.js'
import { expectedReader } from '../request/reader-factory.js'
import type { RequestContextOptions } from '../request/segment-context.js'
import type { RequestOptions } from '../request/sender.js'
import {
  anyOf,
  exactObject,
  functionOf,
  hasMethod,
  isJson,
  listOf,
  type MembersOf,
  type ObjectSchema,
  oneOf,
  opaque,
  optional,
  recordOf,
  refined,
  required,
  type Schema,
  text,
  yesOrNo,
} from '../support/schema/index.js'
import type { DispatchOption } from '../tracker/event-way.js'
import type { TrackingConfig } from './config.js'
import { deliverySchema, sentDeliverySchema } from './delivery-schema.js'
import { memorySchema } from './memory-schema.js'

function readers<T>(): Schema<Reader<T> | Reader<T>[]> {
  const reader = readerOf<Reader<T>>()
  return anyOf('a function or a list of functions', reader, listOf('a list of functions', reader))
}

/** A reader, and not a function that makes one: as a reader it would answer with a function, which is no answer. */
function readerOf<F extends (...args: never[]) => unknown>(): Schema<F> {
  return refined(functionOf<F>(), expectedReader)
}

/** A function of a call, and not one that makes it: as such it would withhold every call. */
const beforeSendSchema = refined(functionOf<BeforeSend>(), (value) => {
  const maker = [hashed, only].find((each) => Object.is(each, value))
  return (
    maker && `a function of the call, not the function that makes one: write ${maker.name}('traits.email')`
  )
})

const contextMembers: MembersOf<RequestContextOptions> = {
  ip: optional(
    anyOf("true, false or 'anonymize'", yesOrNo, oneOf("'anonymize'", 'anonymize')),
    "The client's address, by the framework's own proxy settings. `'anonymize'` cuts IPv4 to 24 bits and IPv6 to 48.",
    true,
  ),
  userAgent: optional(yesOrNo, 'The `User-Agent` header.', true),
  locale: optional(yesOrNo, "The client's preferred language.", true),
  page: optional(
    anyOf(
      "true, false or an object such as { query: ['q'] }",
      yesOrNo,
      exactObject('true, false or { query: [] }', {
        query: required(
          listOf("a list of parameters' names, such as ['q']", text("a parameter's name")),
          'Query parameters to keep in the address, besides `utm_*`.',
        ),
      }),
    ),
    'Page and referrer: origin, path, and of the query `utm_*` and the parameters in `query`.',
    true,
  ),
  campaign: optional(yesOrNo, 'The campaign from `utm_*` and, with consent to `marketing`, click ids.', true),
}

/** The schema of `config.request.context`. */
export const contextSchema: ObjectSchema<MembersOf<RequestContextOptions>> = exactObject(
  'false or an object such as { ip: "anonymize" }',
  contextMembers,
)

const requestMembers: MembersOf<RequestOptions> = {
  userId: optional(
    readers<Id>(),
    'Reads the userId; the first reader with an answer wins. The signed-in user (`req.user`, `ctx.state.user`) by default.',
  ),
  anonymousId: optional(
    readers<Id>(),
    'Reads the anonymousId; the first reader with an answer wins. The cookie `ajs_anonymous_id` by default.',
  ),
  consent: optional(
    readers<Record<string, boolean>>(),
    'Reads the consent; the answers of several readers are merged in order. Global Privacy Control by default.',
  ),
  user: optional(
    readerOf<NonNullable<RequestOptions['user']>>(),
    'Reads more about the person. Nothing by default.',
  ),
  context: optional(
    anyOf("false or an object such as { ip: 'anonymize' }", oneOf('false', false), contextSchema),
    "Which parts of Segment's `context` the calls carry. All of them by default; `false` for none.",
  ),
  pageViews: optional(
    yesOrNo,
    'Tracks a Segment `page` for every GET request that loads a page and is answered with HTML.',
    false,
  ),
  consentUpdates: optional(
    yesOrNo,
    "Sends Segment's `Segment Consent Preference Updated` when `tracker.consent()` changes a choice.",
    false,
  ),
  skip: optional(
    readers<boolean>(),
    'Drops all events of a request if one of these readers answers `true`. None by default.',
  ),
}

/** The schema of `config.request`. */
export const requestSchema: ObjectSchema<MembersOf<RequestOptions>> = exactObject(
  'an object such as { userId, consent }',
  requestMembers,
)

type Callback<K extends keyof TrackingCallbacks> = NonNullable<TrackingCallbacks[K]>

const callbacksMembers: MembersOf<TrackingCallbacks> = {
  delivered: optional(functionOf<Callback<'delivered'>>(), 'Receives each delivered call.'),
  dropped: optional(functionOf<Callback<'dropped'>>(), 'Receives each dropped event and the reason.'),
  failed: optional(functionOf<Callback<'failed'>>(), 'Receives each call that was given up, and the reason.'),
  violation: optional(
    functionOf<Callback<'violation'>>(),
    'Receives each thing that an event has otherwise than the tracking plan says.',
  ),
  error: optional(
    functionOf<Callback<'error'>>(),
    "Receives errors of the application's own functions: a reader, a mapping function, a callback.",
  ),
  shutdown: optional(functionOf<Callback<'shutdown'>>(), 'Receives the report of a shutdown.'),
}

/** The schema of `config.on`. */
export const callbacksSchema: ObjectSchema<MembersOf<TrackingCallbacks>> = exactObject(
  'an object of callbacks, such as { failed }',
  callbacksMembers,
)

const checkMembers = Object.fromEntries(
  CHECK_CODES.map((code) => [code, optional(yesOrNo, 'Whether this check runs.', true)]),
)

const validateSchema: Schema<ValidateOption> = anyOf(
  'true, false or an object such as { REQTRACK_NO_TRUST_PROXY: false }',
  yesOrNo,
  exactObject('an object of codes and false', checkMembers),
)

const trackingMembers: MembersOf<TrackingConfig> = {
  ...configMembers,
  globals: optional(
    anyOf(
      "an object such as { release: '1.4.2' }, or a function of the request",
      readerOf<Reader<WalkerOS.Properties>>(),
      refined(recordOf('an object', opaque<WalkerOS.Property>('a value of plain JSON', isJson)), (globals) =>
        isLargerThan(globals, MAX_CALL_BYTES) ? 'less than the 32 KB of a call' : undefined,
      ),
    ),
    "Properties that hold for all events, such as release, environment and tenant. They fill the event's `globals` and lie under the properties of `track`, `page` and `screen`.",
  ),
  beforeSend: optional(
    anyOf(
      'a function of the call and its event, or a list of such functions',
      beforeSendSchema,
      listOf('a list of functions', beforeSendSchema),
    ),
    'Sees every call before it is sent, may change it, and withholds it by returning `null`.',
  ),
  request: optional(requestSchema, 'How to read a request: its sender, their consent, its context.'),
  dispatch: optional(
    anyOf(
      "'always', 'success' or a function of the outcome",
      oneOf("'always' or 'success'", 'always', 'success'),
      functionOf<Exclude<DispatchOption, string>>(),
    ),
    "When to dispatch a request's events: always, on success (a complete response with a status below 400), or if a function of the outcome returns true.",
    'always',
  ),
  plan: optional(
    opaque<Plan>('a tracking plan, such as definePlan() of reqtrack/plan gives', isPlan),
    'The tracking plan that events are held to.',
  ),
  ambient: optional(
    opaque<ContextAdapter | false>(
      'false, or an adapter with functions run and get, such as fromAsyncLocalStorage() gives',
      (value) => value === false || (hasMethod(value, 'run') && hasMethod(value, 'get')),
    ),
    "Makes the running request's tracker available everywhere. An AsyncLocalStorage by default; `false` turns it off.",
  ),
  waitUntil: optional(
    functionOf<NonNullable<TrackingConfig['waitUntil']>>(),
    "Called at a request's first event with a promise for a platform to wait for before it freezes the function.",
  ),
  delivery: optional(sentDeliverySchema, 'How to deliver calls.'),
  validate: optional(
    validateSchema,
    'Whether the first requests and events are looked at for a setup that cannot work. An object turns single checks off.',
    true,
  ),
  dryRun: optional(
    yesOrNo,
    'Does everything but the requests: calls count as `delivered`, and nothing leaves the process. Needs no write key.',
    false,
  ),
  memory: optional(
    memorySchema,
    'Remembers who was identified and grouped, for all processes of a fleet. Each remembers for itself by default.',
  ),
  on: optional(callbacksSchema, 'Callbacks for what becomes of events and calls.'),
}

const SECTIONS: Readonly<Record<string, ObjectSchema>> = {
  settings: settingsSchema,
  request: requestSchema,
  'request.context': contextSchema,
  delivery: deliverySchema,
  on: callbacksSchema,
}

/** The schema of the configuration of `createTracking`. */
export const trackingConfigSchema: ObjectSchema<MembersOf<TrackingConfig>> = exactObject(
  'an object such as { settings: { writeKey } }',
  trackingMembers,
  {
    refused: COLLECTOR_FIELDS,
    elsewhere: placesOf(SECTIONS),
  },
)

/** The place of each key of the sections, for the error about a key that stands at the top. */
function placesOf(sections: typeof SECTIONS): Record<string, string[]> {
  const places: Record<string, string[]> = {}
  for (const [section, { members }] of Object.entries(sections)) {
    for (const key of Object.keys(members)) places[key] = [...(places[key] ?? []), `${section}.${key}`]
  }
  return places
}
