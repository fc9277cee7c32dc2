import type { ClientOptions } from '../../delivery/index.js'
import {
  anyOf,
  exactObject,
  filledText,
  hasMethod,
  integerFrom,
  isJson,
  type MembersOf,
  number,
  type ObjectSchema,
  objectWith,
  opaque,
  optional,
  positive,
  recordOf,
  refined,
  required,
  type Schema,
  text,
  yesOrNo,
} from '../../support/schema/index.js'
import { SETTINGS_DEFAULTS, type Settings } from '../settings.js'
import { valueSchema } from './mapping.js'

type OAuthSettings = NonNullable<ClientOptions['oauthSettings']>
type HttpClient = NonNullable<OAuthSettings['httpClient']>

function urlSuchAs(example: string): Schema<string> {
  const expected = `an http or https URL such as ${example}`
  return refined(text(expected), (value) => (isHttpUrl(value) ? undefined : expected))
}

const httpClientSchema = opaque<NonNullable<ClientOptions['httpClient']>>(
  'a fetch function, or an object with a function makeRequest',
  (value) => typeof value === 'function' || hasMethod(value, 'makeRequest'),
)

const oauthMembers: MembersOf<OAuthSettings> = {
  clientId: required(filledText('the id of the OAuth app'), 'Id of the OAuth app in the Segment workspace.'),
  clientKey: required(
    filledText('the private key of the OAuth app'),
    'Private key that matches the public key of the OAuth app.',
  ),
  keyId: required(filledText('the id of the public key'), 'Id that Segment gave the public key.'),
  authServer: optional(
    urlSuchAs('https://oauth2.eu1.segmentapis.com'),
    'The authorization server; of the same region as `host`.',
    'https://oauth2.segment.io',
  ),
  scope: optional(filledText('a scope'), 'Scope to ask for.', 'tracking_api:write'),
  maxRetries: optional(
    integerFrom(0),
    'How often a failed token request is retried. Defaults to `settings.maxRetries`.',
  ),
  httpClient: optional(
    objectWith<HttpClient>('an object with a function makeRequest', 'makeRequest'),
    'Sends the token requests. Defaults to `settings.httpClient`.',
  ),
}

/** The settings of OAuth. */
export const oauthSchema: ObjectSchema<MembersOf<OAuthSettings>> = exactObject(
  'an object with clientId, clientKey and keyId',
  oauthMembers,
)

const AN_INTEGRATION = 'true, false, or an object of plain JSON values'

const integrationSchema = anyOf(
  AN_INTEGRATION,
  yesOrNo,
  refined(
    recordOf(
      AN_INTEGRATION,
      opaque<unknown>('anything', () => true),
    ),
    (value) => (isJson(value) ? undefined : AN_INTEGRATION),
  ),
)

const settingsMembers: MembersOf<Settings> = {
  writeKey: required(
    filledText(
      'the write key of your Segment source, found in Segment under Connections > Sources > Settings > API Keys',
    ),
    'Write key of the Segment source, found in the Segment workspace under Connections > Sources > Settings > API Keys.',
  ),
  userId: optional(
    valueSchema,
    'Where an event holds the userId: a walkerOS mapping value.',
    SETTINGS_DEFAULTS.userId,
  ),
  anonymousId: optional(
    valueSchema,
    'Where an event holds the anonymousId: a walkerOS mapping value.',
    SETTINGS_DEFAULTS.anonymousId,
  ),
  host: optional(
    urlSuchAs('https://events.eu1.segmentapis.com'),
    "Base URL of Segment's API; `https://events.eu1.segmentapis.com` for the EU. A path in it goes before `path`.",
    'https://api.segment.io',
  ),
  path: optional(
    text('a path that begins with a slash, such as /v1/batch', /^\//),
    'Path of the API.',
    '/v1/batch',
  ),
  flushAt: optional(integerFrom(1), 'Calls that make a batch full.', SETTINGS_DEFAULTS.flushAt),
  flushInterval: optional(
    number('a number of milliseconds, 0 or more', { least: 0 }),
    'Milliseconds after which a batch is sent although it is not full.',
    SETTINGS_DEFAULTS.flushInterval,
  ),
  maxRetries: optional(integerFrom(0), 'How often a failed batch is retried.', SETTINGS_DEFAULTS.maxRetries),
  httpRequestTimeout: optional(
    positive('milliseconds'),
    'Timeout of one request to Segment in milliseconds.',
    SETTINGS_DEFAULTS.httpRequestTimeout,
  ),
  disable: optional(yesOrNo, 'Sends nothing: every event is dropped with the reason `disabled`.', false),
  httpClient: optional(
    httpClientSchema,
    "Sends the batches: a `fetch` function, or an object with `makeRequest()`. Node's `fetch` by default.",
  ),
  oauthSettings: optional(
    oauthSchema,
    'OAuth 2 between the client and Segment, for sources that ask for it.',
  ),
  maxTotalBackoffDuration: optional(
    positive('seconds'),
    'Seconds of retries after which a batch is given up.',
    43_200,
  ),
  maxRateLimitDuration: optional(
    positive('seconds'),
    'Seconds of "too many requests" answers after which batches are given up.',
    43_200,
  ),
  identify: optional(
    valueSchema,
    "The person's traits, for every event: gives `{ traits }`, and `userId` where it differs. Calls `identify()` for a person's first event and again when their traits or anonymousId change.",
  ),
  group: optional(
    valueSchema,
    "The person's group, for every event: gives `{ groupId, traits }`. Calls `group()` for a person's first event in a group and again when the group's traits change.",
  ),
  consent: optional(
    recordOf(
      "consent keys and Segment's categories, such as { marketing: 'Advertising' }",
      filledText('the name of a Segment consent category'),
    ),
    'Maps walkerOS consent keys to Segment categories: `{ marketing: "Advertising", analytics: "Analytics" }`. Every call then carries every category as `true` or `false`.',
  ),
  integrations: optional(
    recordOf('names of Segment destinations, such as { All: true, Mixpanel: false }', integrationSchema),
    "Turns Segment's destinations on and off: `{ All: true, Mixpanel: false }`. Sent with every call.",
  ),
  context: optional(
    valueSchema,
    'Adds to Segment\'s `context`: a walkerOS mapping value that gives an object, such as `{ map: { ip: "user.ip" } }`.',
  ),
  messageId: optional(
    yesOrNo,
    'Gives every call a `messageId` in a walkerOS collector, too. The middleware always does.',
    false,
  ),
}

/** The destination's settings. */
export const settingsSchema: ObjectSchema<MembersOf<Settings>> = exactObject(
  'an object with at least the writeKey of your Segment source',
  settingsMembers,
)

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value)
}
