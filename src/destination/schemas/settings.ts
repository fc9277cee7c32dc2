import { z } from 'zod'
import type { ClientOptions } from '../../delivery/index.js'
import { SETTINGS_DEFAULTS, type Settings } from '../settings.js'
import {
  booleanSchema,
  exactObject,
  field,
  hasMethod,
  integerFrom,
  isJson,
  type ObjectSchema,
  objectWith,
  positive,
  says,
} from './fields.js'
import { ValueSchema } from './mapping.js'

type OAuthSettings = NonNullable<ClientOptions['oauthSettings']>
type HttpClient = NonNullable<OAuthSettings['httpClient']>

const text = (expected: string) => z.string(says(expected)).regex(/\S/, says(expected))

const writeKeySchema = text(
  'the write key of your Segment source, found in Segment under Connections > Sources > Settings > API Keys',
)

const url = (example: string) => {
  const expected = says(`an http or https URL such as ${example}`)
  return z.string(expected).refine(isHttpUrl, expected)
}

const AN_HTTP_CLIENT = 'a fetch function, or an object with a function makeRequest'

const httpClientSchema = z.custom<NonNullable<ClientOptions['httpClient']>>(
  (value) => typeof value === 'function' || hasMethod(value, 'makeRequest'),
  says(AN_HTTP_CLIENT),
)

const oauthShape = {
  clientId: text('the id of the OAuth app').meta({
    description: 'Id of the OAuth app in the Segment workspace.',
  }),
  clientKey: text('the private key of the OAuth app').meta({
    description: 'Private key that matches the public key of the OAuth app.',
  }),
  keyId: text('the id of the public key').meta({ description: 'Id that Segment gave the public key.' }),
  authServer: field(
    url('https://oauth2.eu1.segmentapis.com'),
    'The authorization server; of the same region as `host`.',
    'https://oauth2.segment.io',
  ),
  scope: field(text('a scope'), 'Scope to ask for.', 'tracking_api:write'),
  maxRetries: field(
    integerFrom(0),
    'How often a failed token request is retried. Defaults to `settings.maxRetries`.',
  ),
  httpClient: field(
    objectWith<HttpClient>('an object with a function makeRequest', 'makeRequest'),
    'Sends the token requests. Defaults to `settings.httpClient`.',
  ),
} satisfies Record<keyof OAuthSettings, z.ZodType>

const aPath = says('a path that begins with a slash, such as /v1/batch')
const anIntegration = says('true, false, or an object of plain JSON values')

const settingsShape = {
  writeKey: writeKeySchema.meta({
    description:
      'Write key of the Segment source, found in the Segment workspace under Connections > Sources > Settings > API Keys.',
  }),
  userId: field(
    ValueSchema,
    'Where an event holds the userId: a walkerOS mapping value.',
    SETTINGS_DEFAULTS.userId,
  ),
  anonymousId: field(
    ValueSchema,
    'Where an event holds the anonymousId: a walkerOS mapping value.',
    SETTINGS_DEFAULTS.anonymousId,
  ),
  host: field(
    url('https://events.eu1.segmentapis.com'),
    "Base URL of Segment's API; `https://events.eu1.segmentapis.com` for the EU. A path in it goes before `path`.",
    'https://api.segment.io',
  ),
  path: field(z.string(aPath).regex(/^\//, aPath), 'Path of the API.', '/v1/batch'),
  flushAt: field(integerFrom(1), 'Calls that make a batch full.', SETTINGS_DEFAULTS.flushAt),
  flushInterval: field(
    z.number(says('a number of milliseconds')).nonnegative(says('a number of milliseconds, 0 or more')),
    'Milliseconds after which a batch is sent although it is not full.',
    SETTINGS_DEFAULTS.flushInterval,
  ),
  maxRetries: field(integerFrom(0), 'How often a failed batch is retried.', SETTINGS_DEFAULTS.maxRetries),
  httpRequestTimeout: field(
    positive('milliseconds'),
    'Timeout of one request to Segment in milliseconds.',
    SETTINGS_DEFAULTS.httpRequestTimeout,
  ),
  disable: field(booleanSchema, 'Sends nothing: every event is dropped with the reason `disabled`.', false),
  httpClient: field(
    httpClientSchema,
    "Sends the batches: a `fetch` function, or an object with `makeRequest()`. Node's `fetch` by default.",
  ),
  oauthSettings: field(
    exactObject('an object with clientId, clientKey and keyId', oauthShape),
    'OAuth 2 between the client and Segment, for sources that ask for it.',
  ),
  maxTotalBackoffDuration: field(
    positive('seconds'),
    'Seconds of retries after which a batch is given up.',
    43_200,
  ),
  maxRateLimitDuration: field(
    positive('seconds'),
    'Seconds of "too many requests" answers after which batches are given up.',
    43_200,
  ),
  identify: field(
    ValueSchema,
    "The person's traits, for every event: gives `{ traits }`, and `userId` where it differs. Calls `identify()` for a person's first event and again when their traits or anonymousId change.",
  ),
  group: field(
    ValueSchema,
    "The person's group, for every event: gives `{ groupId, traits }`. Calls `group()` for a person's first event in a group and again when the group's traits change.",
  ),
  consent: field(
    z.record(
      z.string(),
      text('the name of a Segment consent category'),
      says("consent keys and Segment's categories, such as { marketing: 'Advertising' }"),
    ),
    'Maps walkerOS consent keys to Segment categories: `{ marketing: "Advertising", analytics: "Analytics" }`. Every call then carries every category as `true` or `false`.',
  ),
  integrations: field(
    z.record(
      z.string(),
      z.union([z.boolean(), z.record(z.string(), z.unknown()).refine(isJson, anIntegration)], anIntegration),
      says('names of Segment destinations, such as { All: true, Mixpanel: false }'),
    ),
    "Turns Segment's destinations on and off: `{ All: true, Mixpanel: false }`. Sent with every call.",
  ),
  context: field(
    ValueSchema,
    'Adds to Segment\'s `context`: a walkerOS mapping value that gives an object, such as `{ map: { ip: "user.ip" } }`.',
  ),
  messageId: field(
    booleanSchema,
    'Gives every call a `messageId` in a walkerOS collector, too. The middleware always does.',
    false,
  ),
} satisfies Record<keyof Settings, z.ZodType>

/** The destination's settings. */
export const SettingsSchema: ObjectSchema<Settings> = exactObject(
  'an object with at least the writeKey of your Segment source',
  settingsShape,
)

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value)
}
