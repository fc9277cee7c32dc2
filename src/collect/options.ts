import type { TrackedRequest } from '../model/tracked-request.js'
import { given } from '../support/given.js'
import type { Maybe } from '../support/maybe.js'
import { assertKnownKeys } from '../support/unknown-key.js'
import { type RateLimit, type RateLimitOptions, rateLimitOf } from './rate-limit-options.js'

/** What a collect endpoint lets browsers do. */
export interface CollectOptions {
  /**
   * The events that browsers may track, by name. A `*` in a name stands for any text: `product *`. `page view` and
   * `screen view` let analytics.js send pages and screens, too. `any` lets browsers track everything.
   *
   * Defaults to the events of the tracking plan; without a plan it is required.
   */
  readonly events?: readonly (string | RegExp)[] | 'any'
  /**
   * Further origins whose pages may send events, such as `https://shop.example` for an endpoint on `api.shop.example`.
   * The request's own host always may.
   */
  readonly origin?: string | readonly string[]
  /** The traits that an `identify` from a browser may set of the request's own user. Without it each is refused. */
  readonly traits?: readonly string[]
  /**
   * The ids of the groups that the request's user is a member of: a `group` call from a browser about another one is
   * refused. Without it each is. It has two seconds to answer.
   */
  readonly groups?: (request: TrackedRequest) => Maybe<string | readonly string[] | undefined>
  /** The traits that a `group` call from a browser may set. None by default. */
  readonly groupTraits?: readonly string[]
  /**
   * `body` takes a UUID that a browser names as the anonymousId of a visitor who has none by the request's own readers.
   * By default nobody is believed who they are.
   */
  readonly anonymousId?: 'body'
  /** The most events of one request. Defaults to 100. */
  readonly maxEvents?: number
  /** How many events are taken in a time; `false` for no limit. See {@link RateLimitOptions}. */
  readonly limit?: false | RateLimitOptions
}

/** The options, checked and made ready. */
export interface CollectRules {
  /** Whether browsers may track an event of that name; `undefined` leaves that to the tracking plan. */
  readonly allows: ((name: string) => boolean) | undefined
  readonly origins: ReadonlySet<string>
  readonly traits: ReadonlySet<string> | undefined
  readonly groups: CollectOptions['groups']
  readonly groupTraits: ReadonlySet<string>
  readonly takesAnonymousId: boolean
  readonly maxEvents: number
  readonly limit: RateLimit | undefined
}

const KNOWN = [
  'events',
  'origin',
  'traits',
  'groups',
  'groupTraits',
  'anonymousId',
  'maxEvents',
  'limit',
] as const satisfies readonly (keyof CollectOptions)[]
const DEFAULT_MAX_EVENTS = 100

/**
 * Checks the options of a collect endpoint.
 *
 * @param adapter - The name of the function that was given them, for the errors.
 * @param hasPlan - Whether a tracking plan can say which events there are.
 * @param further - Options that the adapter has beside these.
 * @throws TypeError for whatever is not as {@link CollectOptions} says.
 */
export function collectRules(
  adapter: string,
  options: CollectOptions,
  hasPlan: boolean,
  further: readonly string[] = [],
): CollectRules {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `${adapter}() was ${given(options)} as its options: expected an object such as { events: [...] }`,
    )
  assertKnownKeys(adapter, options, [...KNOWN, ...further])
  const fail = (name: string, value: unknown, expected: string): never => {
    throw new TypeError(`${adapter}: ${name} is ${given(value)}: expected ${expected}`)
  }
  const { events, origin, groups, anonymousId, maxEvents = DEFAULT_MAX_EVENTS } = options
  if (events === undefined && !hasPlan)
    throw new TypeError(
      `${adapter}: events is missing, and there is no tracking plan: expected the names of the events that browsers may ` +
        "track, such as ['product view'], or 'any'",
    )
  if (groups !== undefined && typeof groups !== 'function')
    fail('groups', groups, 'a function of the request')
  if (anonymousId !== undefined && anonymousId !== 'body')
    fail('anonymousId', anonymousId, "'body', or nothing")
  if (!Number.isInteger(maxEvents) || maxEvents < 1) fail('maxEvents', maxEvents, 'a whole number from 1 on')
  return {
    allows: events === undefined ? undefined : allowed(events, fail),
    origins: originsOf(origin, fail),
    traits: options.traits && namesOf('traits', options.traits, fail),
    groups,
    groupTraits: namesOf('groupTraits', options.groupTraits ?? [], fail),
    takesAnonymousId: anonymousId === 'body',
    maxEvents,
    limit: rateLimitOf(adapter, options.limit),
  }
}

type Fail = (name: string, value: unknown, expected: string) => never

function allowed(events: NonNullable<CollectOptions['events']>, fail: Fail): (name: string) => boolean {
  if (events === 'any') return () => true
  if (!Array.isArray(events)) return fail('events', events, "a list of names, or 'any'")
  const names = new Set<string>()
  const patterns: RegExp[] = []
  for (const each of events) {
    // A pattern with a place of its own would answer the same name in turns.
    if (each instanceof RegExp) patterns.push(new RegExp(each.source, each.flags.replace(/[gy]/g, '')))
    else if (typeof each !== 'string' || each.trim() === '' || each === '*')
      fail('a member of events', each, "an event's name, a pattern such as 'product *', or events: 'any'")
    else if (each.includes('*')) patterns.push(patternOf(each))
    else names.add(each)
  }
  return (name) => names.has(name) || patterns.some((pattern) => pattern.test(name))
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

function originsOf(given: CollectOptions['origin'], fail: Fail): ReadonlySet<string> {
  const origins = new Set<string>()
  for (const each of given === undefined ? [] : Array.isArray(given) ? given : [given]) {
    const origin = URL.canParse(each) ? new URL(each) : undefined
    if (
      !origin ||
      !/^https?:$/.test(origin.protocol) ||
      !['/', ''].includes(origin.pathname) ||
      origin.search !== ''
    )
      fail('origin', each, 'scheme and host, such as https://shop.example')
    else origins.add(origin.origin)
  }
  return origins
}

function namesOf(name: string, names: readonly string[], fail: Fail): ReadonlySet<string> {
  if (!Array.isArray(names) || !names.every((each) => typeof each === 'string'))
    return fail(name, names, "a list of names, such as ['plan']")
  return new Set(names)
}
